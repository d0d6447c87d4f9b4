import { describeDifferences, describeUncompared, type Facts } from "../common/connection/twins.ts";
import type { Examine } from "../rotator.ts";
import { findAccount, type FoundAccount } from "./mysql-accounts.ts";
import { lackOfRight, toFailure } from "./mysql-errors.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import { parseFacts } from "./mysql-rights.ts";
import type { Server, Session } from "./mysql-session.ts";
import { quoteAccount } from "./mysql-statements.ts";

type Row = Readonly<Record<string, unknown>>;

/** The column `host`, and a column for each fact. */
const mysqlSettings = `
  SELECT Host AS host, plugin AS \`authentication plugin\`,
    CONCAT_WS(' ', ssl_type, HEX(ssl_cipher), HEX(x509_issuer), HEX(x509_subject)) AS \`REQUIRE\`,
    max_questions AS MAX_QUERIES_PER_HOUR, max_updates AS MAX_UPDATES_PER_HOUR,
    max_connections AS MAX_CONNECTIONS_PER_HOUR, max_user_connections AS MAX_USER_CONNECTIONS
  FROM mysql.user WHERE User = ?`;

const mysqlDefaultRoles = `
  SELECT HOST AS host,
    GROUP_CONCAT(HEX(DEFAULT_ROLE_USER), '@', HEX(DEFAULT_ROLE_HOST) ORDER BY 1) AS \`DEFAULT ROLE\`
  FROM mysql.default_roles WHERE USER = ? GROUP BY HOST`;

const mariadbSettings = `
  SELECT Host AS host, COALESCE(JSON_VALUE(Priv, '$.plugin'), 'mysql_native_password') AS \`authentication plugin\`,
    CONCAT_WS(' ', COALESCE(JSON_VALUE(Priv, '$.ssl_type'), 0), HEX(JSON_VALUE(Priv, '$.ssl_cipher')),
      HEX(JSON_VALUE(Priv, '$.x509_issuer')), HEX(JSON_VALUE(Priv, '$.x509_subject'))) AS \`REQUIRE\`,
    COALESCE(JSON_VALUE(Priv, '$.max_questions'), 0) AS MAX_QUERIES_PER_HOUR,
    COALESCE(JSON_VALUE(Priv, '$.max_updates'), 0) AS MAX_UPDATES_PER_HOUR,
    COALESCE(JSON_VALUE(Priv, '$.max_connections'), 0) AS MAX_CONNECTIONS_PER_HOUR,
    COALESCE(JSON_VALUE(Priv, '$.max_user_connections'), 0) AS MAX_USER_CONNECTIONS,
    COALESCE(JSON_VALUE(Priv, '$.max_statement_time'), 0) AS MAX_STATEMENT_TIME,
    COALESCE(JSON_VALUE(Priv, '$.default_role'), '') AS \`DEFAULT ROLE\`
  FROM mysql.global_priv WHERE User = ?`;

type Pair = readonly [account: string, twin: string];

/** What is compared at each host that both accounts have, and the table whose right the queries need. */
interface Source {
  readonly what: string;
  readonly table: string;
  readonly read: (session: Session, name: string, hosts: readonly string[]) => Promise<AtHosts>;
}

/** The facts at each host. */
type AtHosts = ReadonlyMap<string, Facts>;

const settings = (text: string) => async (session: Session, name: string) => {
  const rows: readonly Row[] = await session.query(text, [name]);
  return new Map(
    rows.map(({ host, ...facts }) => [
      String(host),
      new Map(Object.entries(facts).map(([fact, value]) => [fact, String(value)])),
    ]),
  );
};

async function readGrants(session: Session, name: string, hosts: readonly string[]) {
  const found = new Map<string, Facts>();
  for (const host of hosts) {
    const rows = await session.query("SHOW GRANTS FOR ?@?", [name, host]);
    const lines = rows.flatMap((row) => Object.values(row).map(String));
    found.set(host, parseFacts(lines, { account: name, host }));
  }
  return found;
}

const grants = { what: "grants and roles", read: readGrants } as const;

const onMysql: readonly Source[] = [
  { what: "settings", table: "mysql.user", read: settings(mysqlSettings) },
  { what: "default roles", table: "mysql.default_roles", read: settings(mysqlDefaultRoles) },
  { ...grants, table: "mysql.user" },
];
const onMariadb: readonly Source[] = [
  { what: "settings", table: "mysql.global_priv", read: settings(mariadbSettings) },
  { ...grants, table: "mysql.*" },
];

/**
 * Sentences about what consumers would find changed at the hosts of both accounts, and about what could not be compared. An account that
 * changes itself is not given rights to see others, so nothing is said about what it does not see.
 */
export async function compareTwins(
  session: Session,
  server: Server,
  { account, twin, options, using }: Examine<MysqlOptions>,
  found: FoundAccount,
): Promise<readonly string[]> {
  if (twin === undefined) return [];
  const sources = server.isMariadb ? onMariadb : onMysql;
  const pair = [account, twin] as const;
  const explain = (unread: readonly Unread[]) =>
    using.as === "self" ? [] : describeUnread(server, pair, unread);
  const other = await findAccount(session, server, twin, options);
  if (!found.isListed || !other.isListed) return explain(sources);
  const [hosts, otherHosts] = [found, other].map(({ variants }) => variants.map((one) => one.host));
  // An account that does not exist is an obstacle, and not a difference.
  if (!hosts?.length || !otherHosts?.length) return [];
  const shared = hosts.filter((host) => otherHosts.includes(host));
  const facts = [toFacts(hosts), toFacts(otherHosts)] as const;
  const unread: Unread[] = [];
  for (const source of sources) {
    const read = await readBoth(session, source, pair, shared);
    if ("errno" in read) unread.push({ ...source, ...read });
    else {
      addFacts(facts[0], read.both[0], shared);
      addFacts(facts[1], read.both[1], shared);
    }
  }
  return [
    ...describeDifferences({ account, facts: facts[0] }, { account: twin, facts: facts[1] }),
    ...explain(unread),
  ];
}

const toFacts = (hosts: readonly string[]) => new Map(hosts.map((host) => [`host ${host}`, ""]));

function addFacts(all: Map<string, string>, found: AtHosts, hosts: readonly string[]): void {
  for (const host of hosts) {
    const at = hosts.length > 1 ? ` at host ${host}` : "";
    for (const [fact, value] of found.get(host) ?? []) all.set(fact + at, value);
  }
}

interface Unread extends Pick<Source, "what" | "table"> {
  /** The error of the server. Absent: it lists no accounts, because the right is missing. */
  readonly errno?: number;
}

/** The facts of both accounts, or the number of the error with which the server refuses a query. */
async function readBoth(
  session: Session,
  { read }: Source,
  [account, twin]: Pair,
  hosts: readonly string[],
): Promise<{ readonly both: readonly [AtHosts, AtHosts] } | { readonly errno: number }> {
  try {
    return {
      both: [await read(session, account, hosts), await read(session, twin, hosts)],
    };
  } catch (error) {
    const { errno } = toFailure(error);
    if (errno === undefined) throw error;
    return { errno };
  }
}

/** Pure: a sentence for each reason. */
function describeUnread(
  { loggedInAs: { account: me, host } }: Server,
  pair: Pair,
  unread: readonly Unread[],
): readonly string[] {
  const toReason = ({ table, errno }: Unread) =>
    errno === undefined || lackOfRight.has(errno)
      ? {
          why: `\`${me}\` lacks SELECT on ${table}`,
          todo: `Run: GRANT SELECT ON ${table} TO ${quoteAccount(me, host)}.`,
        }
      : { why: `the server refuses the query with error ${errno}`, todo: "Compare them yourself." };
  const reasons = new Map(unread.map((one) => [toReason(one).why, toReason(one)]));
  return Array.from(reasons.values(), (reason) => {
    const ofReason = unread.filter((one) => toReason(one).why === reason.why);
    return describeUncompared(ofReason.map(({ what }) => what).join(", "), pair, reason);
  });
}
