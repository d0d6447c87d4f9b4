import { describeDifferences, describeUncompared } from "../common/connection/twins.ts";
import type { Session } from "./postgresql-session.ts";
import { lookIfPermitted } from "./postgresql-settings.ts";

/**
 * Everything that the catalog says about the two accounts, as facts with a value. Owned objects and grants are those of this database
 * and of the whole server. Values of settings may be secrets, so they are only compared.
 */
const factsOf = `
  WITH pair AS (
    SELECT r.*, r.rolname::pg_catalog.text AS name, other.oid AS twin
    FROM pg_catalog.pg_roles r
    JOIN pg_catalog.pg_roles other ON other.oid <> r.oid
    WHERE r.rolname IN ($1::pg_catalog.text, $2::pg_catalog.text)
      AND other.rolname IN ($1::pg_catalog.text, $2::pg_catalog.text)
  ), named AS (
    SELECT pair.oid, pair.name, d.*
    FROM pair
    JOIN pg_catalog.pg_shdepend d
      ON d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = pair.oid
    WHERE d.deptype IN ('o', 'a')
      AND d.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
  )
  SELECT name, attribute.fact, attribute.value FROM pair, LATERAL (VALUES
    ('LOGIN', rolcanlogin::pg_catalog.text),
    ('SUPERUSER', rolsuper::pg_catalog.text),
    ('CREATEDB', rolcreatedb::pg_catalog.text),
    ('CREATEROLE', rolcreaterole::pg_catalog.text),
    ('REPLICATION', rolreplication::pg_catalog.text),
    ('BYPASSRLS', rolbypassrls::pg_catalog.text),
    ('INHERIT', rolinherit::pg_catalog.text),
    ('CONNECTION LIMIT', rolconnlimit::pg_catalog.text),
    ('VALID UNTIL', coalesce(rolvaliduntil, 'infinity')::pg_catalog.text)
  ) AS attribute (fact, value)
  UNION ALL
  SELECT pair.name, 'membership in ' || pg_catalog.quote_ident(granted.rolname),
    pg_catalog.string_agg(
      (pg_catalog.to_jsonb(m) - '{oid,roleid,member,grantor}'::pg_catalog.text[])::pg_catalog.text, ','
      ORDER BY m.admin_option
    )
  FROM pair
  JOIN pg_catalog.pg_auth_members m ON m.member = pair.oid AND m.roleid <> pair.twin
  JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
  GROUP BY 1, 2
  UNION ALL
  SELECT pair.name,
    'setting ' || pg_catalog.split_part(setting, '=', 1) || coalesce(' in database ' || pg_catalog.quote_ident(db.datname), ''),
    setting
  FROM pair
  JOIN pg_catalog.pg_db_role_setting s ON s.setrole = pair.oid
  LEFT JOIN pg_catalog.pg_database db ON db.oid = s.setdatabase
  CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
  UNION ALL
  SELECT name, 'ownership of ' || pg_catalog.pg_describe_object(classid, objid, objsubid), ''
  FROM named WHERE deptype = 'o'
  UNION ALL
  SELECT name, 'grants on ' || pg_catalog.pg_describe_object(classid, objid, objsubid),
    (
      SELECT pg_catalog.string_agg(privilege_type || is_grantable::pg_catalog.text, ',' ORDER BY privilege_type, is_grantable)
      FROM pg_catalog.aclexplode(CASE
        WHEN classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objsubid = 0
          THEN (SELECT relacl FROM pg_catalog.pg_class WHERE oid = objid)
        WHEN classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          THEN (SELECT attacl FROM pg_catalog.pg_attribute WHERE attrelid = objid AND attnum = objsubid)
        WHEN classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
          THEN (SELECT nspacl FROM pg_catalog.pg_namespace WHERE oid = objid)
        WHEN classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          THEN (SELECT proacl FROM pg_catalog.pg_proc WHERE oid = objid)
        WHEN classid = 'pg_catalog.pg_database'::pg_catalog.regclass
          THEN (SELECT datacl FROM pg_catalog.pg_database WHERE oid = objid)
      END)
      WHERE grantee = named.oid
    )
  FROM named WHERE deptype = 'a'`;

/** Sentences about what consumers would find changed when they use `account` instead of `twin`, or that the catalog may not be read. */
export async function compareTwins(
  session: Session,
  account: string,
  twin: string,
): Promise<readonly string[]> {
  const ask = () => session.query(factsOf, [account, twin]);
  const rows = await lookIfPermitted(session, account, ask);
  if (rows === undefined) return describeUnread(account, twin);
  const factsAbout = (name: string) =>
    new Map(
      rows
        .filter((row) => row["name"] === name)
        .map((row) => [String(row["fact"]), String(row["value"])] as const),
    );
  const [mine, others] = [factsAbout(account), factsAbout(twin)];
  // An account that does not exist is an obstacle, and not a difference.
  return mine.size === 0 || others.size === 0
    ? []
    : describeDifferences({ account, facts: mine }, { account: twin, facts: others });
}

/** Pure: the authority may not read the catalog, which every role may by default. */
export const describeUnread = (account: string, twin: string | undefined): readonly string[] =>
  twin === undefined
    ? []
    : [
        describeUncompared("settings and grants", [account, twin], {
          why: "the server refuses to show its catalog to the account that makes the change",
          todo: "Compare them yourself.",
        }),
      ];
