import { describeDifferences, type Facts } from "../connection/twins.ts";
import type { Examine } from "../rotator.ts";
import { findAccount, type FoundAccount } from "./mysql-accounts.ts";
import { toFailure } from "./mysql-errors.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import { parseFacts } from "./mysql-rights.ts";
import type { Server, Session } from "./mysql-session.ts";

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

/** Sentences about what consumers would find changed at the hosts of both accounts. What the authority may not read is left out. */
export async function compareTwins(
  session: Session,
  server: Server,
  { account, twin, options }: Examine<MysqlOptions>,
  found: FoundAccount,
): Promise<readonly string[]> {
  if (twin === undefined) return [];
  const other = await findAccount(session, server, twin, options);
  const [hosts, otherHosts] = [found, other].map(({ variants }) => variants.map((one) => one.host));
  if (!found.isListed || !other.isListed || !hosts?.length || !otherHosts?.length) return [];
  const shared = hosts.filter((host) => otherHosts.includes(host));
  const [mine, others] = await readBoth(session, server, [account, twin], shared);
  return describeDifferences(
    { account, facts: new Map([...hosts.map(toFact), ...mine]) },
    { account: twin, facts: new Map([...otherHosts.map(toFact), ...others]) },
  );
}

const toFact = (host: string) => [`host ${host}`, ""] as const;

/** Facts that can be read of one account only are not compared. */
async function readBoth(
  session: Session,
  { isMariadb }: Server,
  pair: readonly [string, string],
  hosts: readonly string[],
): Promise<readonly [Facts, Facts]> {
  const facts: readonly [Map<string, string>, Map<string, string>] = [new Map(), new Map()];
  const add = (host: string, read: readonly [Facts | undefined, Facts | undefined]) => {
    const [mine, others] = read;
    if (mine === undefined || others === undefined) return;
    const at = hosts.length > 1 ? ` at host ${host}` : "";
    for (const [fact, value] of mine) facts[0].set(fact + at, value);
    for (const [fact, value] of others) facts[1].set(fact + at, value);
  };
  for (const text of isMariadb ? [mariadbSettings] : [mysqlSettings, mysqlDefaultRoles]) {
    const rows = await readBothAccounts(pair, (name) => session.query(text, [name]));
    for (const host of hosts) add(host, [settingsAt(host, rows[0]), settingsAt(host, rows[1])]);
  }
  for (const host of hosts) {
    add(
      host,
      await readBothAccounts(pair, async (name) => {
        const rows = await session.query("SHOW GRANTS FOR ?@?", [name, host]);
        return parseFacts(
          rows.flatMap((row) => Object.values(row).map(String)),
          { account: name, host },
        );
      }),
    );
  }
  return facts;
}

/** An account that has no row has no facts. */
function settingsAt(host: string, rows: readonly Row[] | undefined): Facts | undefined {
  const { host: _, ...settings } = rows?.find((row) => row["host"] === host) ?? {};
  return rows && new Map(Object.entries(settings).map(([fact, value]) => [fact, String(value)]));
}

async function readBothAccounts<Result>(
  [one, other]: readonly [string, string],
  read: (name: string) => Promise<Result>,
): Promise<readonly [Result | undefined, Result | undefined]> {
  return [await ifAnswered(() => read(one)), await ifAnswered(() => read(other))];
}

/** Undefined if the server refuses the query. */
async function ifAnswered<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (toFailure(error).errno !== undefined) return undefined;
    throw error;
  }
}
