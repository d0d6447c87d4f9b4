import {
  ChangeRefusedError,
  ConfigError,
  isKnownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { requireAccepted } from "../common/connection/require-accepted.ts";
import type { SqlPlace } from "../common/sql-server/sql-server-connection.ts";
import { makeThrowaway, requireComplex } from "../common/sql-server/sql-server-passwords.ts";
import { type Desk, isAzureDatabase } from "./azure-sql-catalog.ts";
import { type Call, describeRefusal, surveyAt, withDesk } from "./azure-sql-desk.ts";
import { isRefusal, toChangeError } from "./azure-sql-errors.ts";
import { type Concern, examineAccount } from "./azure-sql-examine.ts";
import { describeAccount, describeServer } from "./azure-sql-options.ts";
import { type Session, StatementError } from "./azure-sql-session.ts";
import {
  disableLogin,
  enableLogin,
  flushLogins,
  setLoginSecret,
  setOwnLoginSecret,
  setOwnUserSecret,
  setUserSecret,
} from "./azure-sql-statements.ts";

/** An account that the authority may change. */
export interface Changeable extends Concern {
  readonly account: Extract<Concern["account"], { readonly is: "login" | "user" }>;
}

/** Finds the account, and runs the work if the authority may change it. Throws the errors of the contract. */
export async function atAccount<Result>(
  call: Call,
  place: SqlPlace,
  signal: AbortSignal,
  work: (desk: Desk, found: Changeable) => Promise<Result>,
): Promise<Result> {
  const outcome = await withDesk(call, place, signal, async (desk) => ({
    result: await work(desk, await requireChangeable(desk, call, place)),
  }));
  return requireAccepted(outcome, () => describeRefusal(call, place)).result;
}

async function requireChangeable(desk: Desk, call: Call, place: SqlPlace): Promise<Changeable> {
  const found = await surveyAt(desk, call);
  const where = describeAccount(place, call.account);
  const { account, survey } = found;
  const { right, obstacles } = examineAccount(found);
  if (right.is === "missing") throw new ChangeRefusedError(`${where}: ${right.why}`);
  if (account.is !== "login" && account.is !== "user") {
    const why = obstacles[0] ?? `Account \`${call.account}\` does not exist.`;
    throw new ChangeRefusedError(`${where}: ${why}`);
  }
  if (account.is === "user") {
    requireNoReplicas(call, where);
    requireWritable(survey.facts.updateability, where);
  }
  return { ...found, account };
}

export function requireWritable(updateability: string | null, where: string): void {
  if (updateability !== "READ_ONLY") return;
  throw new TargetUnavailableError(
    `${where}: the database is read-only here, perhaps a replica. Set options.host to the primary server`,
  );
}

/** A contained user is replicated together with its database. */
export function requireNoReplicas({ options, account }: Call, where: string): void {
  if (options.alsoOn === undefined) return;
  throw new ConfigError(
    `${where}: ${account} is a contained user, which replicas receive with their database. Remove options.alsoOn`,
  );
}

/** Sets the secret of the account on one server. `mayEnable`: a disabled login is enabled, too; otherwise it is refused. */
export async function setSecret(
  call: Call,
  place: SqlPlace,
  { next, mayEnable }: { readonly next: Credential; readonly mayEnable: boolean },
  signal: AbortSignal,
): Promise<void> {
  await atAccount(call, place, signal, async (desk, found) => {
    const where = describeAccount(place, call.account);
    if (isPolicyChecked(found)) requireComplex(next, where);
    const values = { account: call.account, secret: next.secret.reveal() };
    const { using } = call;
    if (found.account.is === "user") {
      const own = using.as === "self" ? { old: using.credential.secret.reveal() } : undefined;
      const statement = own ? setOwnUserSecret : setUserSecret;
      await change(desk.db, statement, { ...values, ...own }, where);
      return;
    }
    const session = desk.logins ?? desk.db;
    if (using.as === "self") {
      const old = using.credential.secret.reveal();
      await change(session, setOwnLoginSecret, { ...values, old }, where);
    } else {
      if (found.account.isDisabled) {
        if (!mayEnable) throw new ChangeRefusedError(`${where}: somebody has disabled the login`);
        await enableWithThrowaway(session, call.account, where);
      }
      await change(session, setLoginSecret, values, where);
    }
    await flush(desk, call);
  });
}

/** With its earlier secret, the login would work again until it has the next one, or for good after a crash. */
async function enableWithThrowaway(session: Session, account: string, where: string) {
  await change(session, setLoginSecret, { account, secret: makeThrowaway(account) }, where);
  await change(session, enableLogin, { account }, where);
}

/** Disables a login, or gives a contained user a secret that nobody knows. */
export async function retireAt(call: Call, place: SqlPlace, signal: AbortSignal): Promise<void> {
  await atAccount(call, place, signal, async (desk, { account: found }) => {
    const where = describeAccount(place, call.account);
    const { account } = call;
    const values = { account, secret: makeThrowaway(call.account) };
    if (found.is === "user") {
      await change(desk.db, setUserSecret, values, where);
      return;
    }
    const session = desk.logins ?? desk.db;
    await change(session, disableLogin, { account }, where);
    // A later change must distinguish a login that Keyturn has disabled from one that a person has disabled.
    await change(session, setLoginSecret, values, where);
    await flush(desk, call);
  });
}

function isPolicyChecked({ account, survey }: Changeable): boolean {
  const isAlways = account.is === "user" || isAzureDatabase(survey.facts);
  return isAlways || survey.login?.isPolicyChecked === true;
}

async function change(
  session: Session,
  statement: string,
  values: Readonly<Record<string, string>>,
  where: string,
): Promise<void> {
  try {
    await session.query(statement, values);
  } catch (error) {
    if (isKnownError(error)) throw error;
    const failure = error instanceof StatementError ? error.failure : { numbers: [] };
    throw toChangeError(failure, where);
  }
}

/** The change is made already, so a database that still has a copy of the earlier login only delays it. */
async function flush({ db, logins, facts }: Desk, { note }: Call): Promise<void> {
  if (!isAzureDatabase(facts) || db === logins) return;
  try {
    await db.query(flushLogins);
  } catch (error) {
    const reason = isRefusal(error)
      ? `lacks the right. Run there: GRANT KILL DATABASE CONNECTION TO ${facts.quotedUser ?? facts.quotedLogin}`
      : "got no answer";
    note?.(
      `DBCC FLUSHAUTHCACHE was not run in database \`${facts.database}\`: \`${facts.myLogin}\` ${reason}. ` +
        "Until the database reads the logins again, it may refuse the new secret and accept the earlier one.",
    );
  }
}

/** Compares logins of several servers: says why a login is not the one of the first server, by its SID. */
export function makeSidCheck(): (place: SqlPlace, found: Concern) => string | undefined {
  let first: { readonly name: string; readonly sid: string } | undefined;
  return (place, { account, name, survey }) => {
    if (account.is !== "login") return undefined;
    const here = { name: describeServer(place), sid: account.sid };
    first ??= here;
    if (first.sid === here.sid) return undefined;
    return (
      `Account \`${name}\` cannot be changed: it has SID ${first.sid} on ${first.name} and SID ${here.sid} on ${here.name}, so these are ` +
      `different logins. Create it on ${here.name} with: CREATE LOGIN ${survey.facts.quoted} WITH PASSWORD = '…', SID = ${first.sid}.`
    );
  };
}
