import type { Session } from "./mysql-session.ts";

/** Privileges of a session, including those of its active roles. */
export interface Privileges {
  /** Whether the privilege is held for all schemas and tables. */
  has(privilege: string): boolean;
  /** Whether the privilege is held for a table of the schema `mysql`, or with `*` for all of them. */
  hasInMysql(privilege: string, table: string): boolean;
}

interface Grant {
  readonly isRevoke: boolean;
  readonly privileges: readonly string[];
  /** `*.*`, `mysql.*` or `mysql.table`. */
  readonly on: string;
}

/** Grants on other objects, of single columns, of roles and of PROXY do not matter here. */
const grantLine =
  /^(?<verb>GRANT|REVOKE) (?<privileges>[A-Z_ ,]+) ON (?<on>\*\.\*|`mysql`\.(?:\*|`\w+`)) (?:TO|FROM) /;

/** Pure: reads the lines of SHOW GRANTS. */
export function parseGrants(lines: readonly string[]): Privileges {
  const grants = lines.flatMap((line): Grant[] => {
    const { verb, privileges = "", on = "" } = grantLine.exec(line)?.groups ?? {};
    if (verb === undefined) return [];
    const names = privileges.split(",").map((name) => name.trim());
    return [{ isRevoke: verb === "REVOKE", privileges: names, on: on.replaceAll("`", "") }];
  });
  const find = (privilege: string, on: string, isRevoke: boolean) =>
    grants.some(
      (grant) =>
        grant.isRevoke === isRevoke &&
        grant.on === on &&
        [privilege, "ALL PRIVILEGES"].some((name) => grant.privileges.includes(name)),
    );
  const has = (privilege: string) => find(privilege, "*.*", false);
  return {
    has,
    hasInMysql: (privilege, table) =>
      find(privilege, `mysql.${table}`, false) ||
      find(privilege, "mysql.*", false) ||
      // A partial revoke takes one schema out of a global privilege.
      (has(privilege) && !find(privilege, "mysql.*", true)),
  };
}

export async function readPrivileges(session: Session): Promise<Privileges> {
  const rows = await session.query("SHOW GRANTS");
  return parseGrants(rows.flatMap((row) => Object.values(row).map(String)));
}

/** A privilege list, or a list of roles, up to the first ` ON ` that is not part of a quoted name. */
const grantOf = /^(?<verb>GRANT|REVOKE) (?<what>(?:[^`]|`[^`]*`)+?)(?: ON (?<on>.+))?$/s;
const roleName = /`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?/g;

/**
 * Pure: the grants and roles in the lines of SHOW GRANTS for this account. The rest of a line of MariaDB has the stored form of the
 * password.
 */
export function parseFacts(
  lines: readonly string[],
  { account, host }: { readonly account: string; readonly host: string },
): ReadonlyMap<string, string> {
  const quote = (name: string) => `\`${name.replaceAll("`", "``")}\``;
  const facts = new Map<string, string>();
  for (const line of lines) {
    for (const [fact, value] of parseLine(line, `${quote(account)}@${quote(host)}`)) {
      const values = [facts.get(fact) ?? [], value].flat();
      facts.set(fact, values.sort().join());
    }
  }
  return facts;
}

function parseLine(line: string, named: string): readonly (readonly [string, string])[] {
  const preposition = line.startsWith("GRANT") ? "TO" : "FROM";
  const [grant = "", rest] = line.split(` ${preposition} ${named}`);
  const { verb, what = "", on } = grantOf.exec(grant)?.groups ?? {};
  if (rest === undefined || verb === undefined || what === "USAGE") return [];
  const option = / WITH (?:GRANT|ADMIN) OPTION/.test(rest) ? " with option" : "";
  if (on === undefined) {
    return [...what.matchAll(roleName)].map(([role]) => [`role ${role}`, option] as const);
  }
  const kind = verb === "GRANT" ? "grants" : "partial revokes";
  return [[`${kind} on ${on}`, `${what}${option}`]];
}
