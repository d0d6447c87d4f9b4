import { z } from "zod";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { type Keepable, toKeepable } from "../common/connection/kept-sessions.ts";
import type { Retire } from "../rotator.ts";
import { toFailure, toLoginVerdict, toNoPasswordError } from "./mysql-errors.ts";
import { type Line, type LineOptions, openLine, type Row } from "./mysql-line.ts";
import { describeAccount, type MysqlOptions } from "./mysql-options.ts";
import { ruleVariables } from "./mysql-rules.ts";

export interface Session extends Keepable {
  /** See `Line.query`. */
  query(text: string, values?: readonly string[]): Promise<readonly Row[]>;
}

/** The server and the log-in of a configured session. */
export interface Server {
  readonly isMariadb: boolean;
  /** Major, minor and patch. */
  readonly version: readonly [number, number, number];
  /** The account of the session, as the server stores it. */
  readonly loggedInAs: { readonly account: string; readonly host: string };
  /** The host from which the server sees the connection: an address or a name. */
  readonly clientHost: string;
  readonly variables: ReadonlyMap<string, string>;
}

/** The session of the authority, and where it is for messages. */
export interface CallContext {
  readonly session: Session;
  readonly server: Server;
  readonly call: Retire<MysqlOptions>;
  readonly where: string;
}

/** Opens a new connection, or returns "rejected" if the server checked the credential and refused it. */
export async function logIn(
  options: MysqlOptions,
  credential: Credential,
  lineOptions: LineOptions,
): Promise<Session | "rejected"> {
  const where = describeAccount(options, credential.account);
  requireUsable(credential, where);
  const line = await openLine(options, credential, lineOptions);
  const verdict = await begin(line, credential.account, where);
  if (verdict === "accepted") return toSession(line);
  await line.close();
  if (verdict === "rejected") return verdict;
  throw verdict;
}

/** Logs in, and finds out as whom. A server without access control lets everybody in, as an account without a name. */
async function begin(
  line: Line,
  account: string,
  where: string,
): Promise<"accepted" | "rejected" | Error> {
  const failure = await line.connect();
  if (failure !== undefined) return toLoginVerdict(failure, where, line.late());
  try {
    const [row] = await line.query("SELECT HEX(CURRENT_USER()) AS me");
    return toAccount(fromHex(row?.["me"])).account === account
      ? "accepted"
      : toNoPasswordError(where);
  } catch (error) {
    return toLoginVerdict(toFailure(error), where, line.late());
  }
}

function toSession(line: Line): Session {
  return {
    query: (text, values) => line.query(text, values),
    ...toKeepable(line, () => line.query("SELECT 1")),
  };
}

function requireUsable({ secret }: Credential, where: string): void {
  // Without a password the driver would log in to an account that has none.
  if (secret.reveal() === "") throw new ConfigError(`${where}: the secret is empty`);
}

/** Names are UTF-8 there, whatever character set the session has. */
const fromHex = (hex: unknown): string => Buffer.from(String(hex), "hex").toString("utf8");

/** The text of CURRENT_USER() or USER(). The name may contain `@`, the host may not. */
function toAccount(text: string): { account: string; host: string } {
  const at = text.lastIndexOf("@");
  return { account: text.slice(0, at), host: text.slice(at + 1) };
}

/**
 * Seconds. A change that waits for a lock ends well within a minute, and so does an idle connection whose worker has died. An empty
 * `sql_mode` and this character set make quotes and backslashes mean what the driver assumes. Grants must show names in quotes.
 */
const settings = `
  SET SESSION autocommit = 1, sql_mode = '', character_set_client = utf8mb4, character_set_connection = utf8mb4,
    character_set_results = utf8mb4, lock_wait_timeout = 20, innodb_lock_wait_timeout = 20, wait_timeout = 30,
    net_read_timeout = 20, net_write_timeout = 20, sql_quote_show_create = 1`;

const variableNames = [
  ...["version", "read_only", "super_read_only", "innodb_read_only", "sql_mode"],
  ...["character_set_client", "character_set_connection"],
  ...["password_history", "password_reuse_interval", ...ruleVariables],
];
const showVariables = `SHOW SESSION VARIABLES WHERE Variable_name IN (${variableNames.map(() => "?").join(", ")})`;

const variableRows = z.array(z.object({ Variable_name: z.string(), Value: z.string() }));

/** Gives the session a known state, whatever init_connect or an earlier call has set. */
export async function configureSession(session: Session, where: string): Promise<Server> {
  await session.query(settings);
  await session.query("SET SESSION TRANSACTION READ WRITE");
  const rows = variableRows.parse(await session.query(showVariables, variableNames));
  const found = new Map(rows.map((row) => [row.Variable_name, row.Value]));
  const isConfigured =
    found.get("sql_mode") === "" &&
    found.get("character_set_client") === "utf8mb4" &&
    found.get("character_set_connection") === "utf8mb4";
  if (!isConfigured) {
    throw new TargetUnavailableError(
      `${where}: the server, or a proxy in front of it, does not keep the settings of a session. Set options.host to the server itself`,
    );
  }
  const [row] = await session.query("SELECT HEX(CURRENT_USER()) AS me, HEX(USER()) AS login");
  const version = found.get("version") ?? "";
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map((part) => Number(part));
  return {
    isMariadb: /mariadb/i.test(version),
    version: [major, minor, patch],
    loggedInAs: toAccount(fromHex(row?.["me"])),
    clientHost: toAccount(fromHex(row?.["login"])).host,
    variables: found,
  };
}

/** The name of the system in messages. */
export const nameSystem = ({ isMariadb }: Pick<Server, "isMariadb">): string =>
  isMariadb ? "MariaDB" : "MySQL";

/** A replica accepts changes of an administrator with many rights, and then differs from its source. */
export function requireWritable({ variables: found }: Server, where: string): void {
  const names = ["read_only", "super_read_only", "innodb_read_only"];
  const isWritable = (value = "OFF") => value === "OFF" || value === "0";
  if (names.every((name) => isWritable(found.get(name)))) return;
  throw new TargetUnavailableError(
    `${where}: the server is read-only, perhaps a replica. Set options.host to the server that accepts changes`,
  );
}
