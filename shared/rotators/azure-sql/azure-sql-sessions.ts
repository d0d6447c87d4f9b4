import { ChangeRefusedError, ConfigError } from "../../core/errors.ts";
import { requireAccepted } from "../common/connection/require-accepted.ts";
import type { SqlLogin, SqlPlace } from "../common/sql-server/sql-server-connection.ts";
import { type Desk, isAzureDatabase, type ServerFacts } from "./azure-sql-catalog.ts";
import {
  type Call,
  describeRefusal,
  fetchLogin,
  openAs,
  surveyAt,
  withDesk,
} from "./azure-sql-desk.ts";
import { toLookError } from "./azure-sql-errors.ts";
import { describeAccount } from "./azure-sql-options.ts";
import { searchDatabases } from "./azure-sql-search.ts";
import type { Row, Session } from "./azure-sql-session.ts";
import { askSessions, listDatabases } from "./azure-sql-statements.ts";

const needs = (where: string, lack: string, grant: string) =>
  new ChangeRefusedError(
    `${where}: Keyturn cannot find out who is logged in: ${lack}. ${grant}, or use retire: grace.`,
  );

/** Whether a client other than Keyturn is logged in as the account on one server. */
export async function hasSessionsAt(
  call: Call,
  place: SqlPlace,
  signal: AbortSignal,
): Promise<boolean> {
  const outcome = await withDesk(call, place, signal, async (desk) => ({
    found: await lookFrom(desk, call, place, signal),
  }));
  return requireAccepted(outcome, () => describeRefusal(call, place)).found;
}

async function lookFrom(
  desk: Desk,
  call: Call,
  place: SqlPlace,
  signal: AbortSignal,
): Promise<boolean> {
  const { db, logins, facts } = desk;
  const where = describeAccount(place, call.account);
  const here = () => lookIn(db, call.account, facts, where);
  if (!isAzureDatabase(facts)) return here();
  if (call.options.contained === true) return here();
  const { account } = await surveyAt(desk, call);
  if (account.is === "user") return here();
  if (logins === undefined) {
    const lack = `\`${facts.myLogin}\` cannot open master, which lists the databases that the login can enter`;
    throw needs(
      where,
      lack,
      `Run there: CREATE USER ${facts.quotedLogin} FOR LOGIN ${facts.quotedLogin}`,
    );
  }
  // Each database shows only its own sessions.
  if ((await here()) || (await lookIn(logins, call.account, facts, where))) return true;
  const names = (await logins.query(listDatabases)).map(({ name }) => String(name));
  const others = names.filter((name) => name !== facts.database && name !== "master");
  const login = await fetchLogin(call, place, signal);
  const check = (database: string, either: AbortSignal) =>
    lookElsewhere(call, { ...place, database }, login, either);
  return searchDatabases(others, { where, check }, signal);
}

async function lookElsewhere(
  call: Call,
  place: SqlPlace,
  login: SqlLogin,
  signal: AbortSignal,
): Promise<boolean> {
  const where = describeAccount(place, call.account);
  const session = await openAs(call, place, login, signal).catch((error: unknown): "rejected" => {
    if (error instanceof ConfigError) return "rejected";
    throw error;
  });
  if (session === "rejected") {
    const lack = `the authority cannot open database \`${place.database}\``;
    throw needs(where, lack, "Create a user for it there with VIEW DATABASE STATE");
  }
  try {
    const [facts] = await session.query(
      "SELECT SUSER_SNAME() AS myLogin, QUOTENAME(USER_NAME()) AS quotedUser",
    );
    return await lookIn(session, call.account, { ...toFacts(facts), edition: 5 }, where);
  } catch (error) {
    throw toLookError(error, where);
  } finally {
    await session.close();
  }
}

function toFacts(row: Row | undefined): Pick<ServerFacts, "myLogin" | "quotedUser"> {
  return { myLogin: String(row?.["myLogin"]), quotedUser: String(row?.["quotedUser"]) };
}

type Observer = Pick<ServerFacts, "edition" | "myLogin" | "quotedUser">;

async function lookIn(
  session: Session,
  account: string,
  facts: Observer,
  where: string,
): Promise<boolean> {
  const [row = {}] = await session.query(askSessions, { account });
  // Sessions that a list without the right happens to show are certain; their absence is not.
  if (Number(row["others"]) > 0) return true;
  const has = (...names: readonly string[]) => names.some((name) => row[name] === 1);
  if (isAzureDatabase(facts)) {
    if (has("seesDatabase", "seesDatabaseToo")) return false;
    const grant = `Run there: GRANT VIEW DATABASE STATE TO ${facts.quotedUser ?? ""}`;
    throw needs(where, `\`${facts.myLogin}\` lacks VIEW DATABASE STATE`, grant);
  }
  if (has("seesServer", "seesServerToo")) return false;
  throw needs(
    where,
    `\`${facts.myLogin}\` lacks VIEW SERVER STATE`,
    "Grant it VIEW SERVER STATE, or VIEW SERVER PERFORMANCE STATE from SQL Server 2022 on",
  );
}
