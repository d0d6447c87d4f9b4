import { ChangeRefusedError, isKnownError, OutcomeUnknownError } from "../../core/errors.ts";
import { Secret } from "../../core/secrets/secret.ts";
import { nameLogIn } from "../common/connection/identity-account.ts";
import { computeScramVerifier, defaultIterations } from "../common/connection/scram.ts";
import type { Retire } from "../rotator.ts";
import { asAuthority } from "./postgresql-authority.ts";
import { type Failure, isStandby, toChangeError, toFailure } from "./postgresql-errors.ts";
import { describeLackOfRight } from "./postgresql-examine.ts";
import { describeAccount, type PostgresqlOptions } from "./postgresql-options.ts";
import { knock, type Session } from "./postgresql-session.ts";
import { beginKnown, beQuiet } from "./postgresql-settings.ts";
import {
  chooseEncryption,
  computeMd5Verifier,
  type Encryption,
  looksLikeVerifier,
  readEncryption,
} from "./postgresql-verifier.ts";

const insufficientPrivilege = "42501";

/**
 * Makes COMMIT wait until the change is on disk, also on the disks of synchronous standbys. With a weaker setting of the server, a
 * crash could undo a confirmed change. A stronger setting stays unchanged.
 */
export const ontoDisk = `
  SELECT pg_catalog.set_config('synchronous_commit', 'on', true)
  WHERE pg_catalog.current_setting('synchronous_commit') <> 'remote_apply'`;

/** Many clients, including this driver, refuse to compute more iterations. */
const maxIterations = 100_000;

type Call = Retire<PostgresqlOptions>;

/** Sets the password of the account. With null it removes the stored one, so that no password logs in. */
export async function change(
  call: Call,
  signal: AbortSignal,
  password: Secret | null,
): Promise<void> {
  const where = describeAccount(call.options, call.account);
  await asAuthority(call, signal, async (session, credential) => {
    const secrets = [credential.secret, ...(password ? [password] : [])];
    let committing = false;
    try {
      const stored = await prepare(session, call, signal, password);
      if (stored.value !== null) secrets.push(new Secret(stored.value));
      // Nothing takes effect before COMMIT is sent: a server that loses the connection rolls back.
      await beginKnown(session, call.account, "change");
      await session.query(ontoDisk);
      if (stored.isClear) await hide(session, stored);
      await session.query(await alterRole(session, call.account, stored.value));
      committing = true;
      await session.query("COMMIT");
    } catch (error) {
      if (isKnownError(error)) throw error;
      if (!committing) throw await refusal(session, toFailure(error, secrets), call);
      throw new OutcomeUnknownError(
        `${where}: the connection was lost while the change was being committed; either password may be valid`,
      );
    }
  });
}

/** The server that makes the change. */
interface Server {
  readonly version: number;
  readonly encryption: string;
  readonly iterations: number;
}

/** What the statement contains. */
interface Stored {
  readonly value: string | null;
  readonly isClear: boolean;
  readonly encryption: Encryption;
  readonly version: number;
}

async function prepare(
  session: Session,
  call: Call,
  signal: AbortSignal,
  password: Secret | null,
): Promise<Stored> {
  const { options, account } = call;
  const { version, encryption: usual, iterations } = await readServer(session, call);
  if (password === null)
    return { value: null, isClear: false, encryption: "scram-sha-256", version };
  const present = await findEncryption(session, call, signal);
  const encryption = chooseEncryption(options, present, usual);
  const clear = password.reveal();
  const isClear = options.sendPassword === "clear";
  if (isClear && looksLikeVerifier(clear)) {
    throw new ChangeRefusedError(
      `${describeAccount(options, account)}: the server would take the new password for a verifier. Use another password, or set options.sendPassword to verifier`,
    );
  }
  const value = isClear
    ? clear
    : encryption === "md5"
      ? computeMd5Verifier(clear, account)
      : await computeScramVerifier(clear, iterations);
  return { value, isClear, encryption, version };
}

/** Throws if the server is a standby: it accepts no changes whatever its settings are. */
async function readServer(session: Session, { options, account }: Call): Promise<Server> {
  const [row] = await session.query(`
    SELECT
      pg_catalog.pg_is_in_recovery() AS "isStandby",
      pg_catalog.current_setting('server_version_num') AS version,
      pg_catalog.current_setting('password_encryption') AS encryption,
      pg_catalog.current_setting('scram_iterations', true) AS iterations`);
  if (row?.["isStandby"] === true) throw isStandby(describeAccount(options, account));
  const wanted = Number(row?.["iterations"] ?? defaultIterations);
  return {
    version: Number(row?.["version"]),
    encryption: String(row?.["encryption"]),
    iterations: Math.min(Math.max(wanted, 1), maxIterations),
  };
}

/** How the server stores the account's password now: its log-in has shown it, or the beginning of one shows it. */
async function findEncryption(
  session: Session,
  { options, account, using, connectWithin }: Call,
  signal: AbortSignal,
): Promise<Encryption | undefined> {
  const chosen = options.passwordEncryption ?? "keep";
  if (chosen !== "keep") return chosen;
  if (using.as === "self") return readEncryption(session.request);
  const { request } = await knock(options, account, signal, connectWithin);
  return readEncryption(request);
}

/** A clear password must not get into the log, and the server itself must make the right verifier of it. */
async function hide(session: Session, { encryption, version }: Stored): Promise<void> {
  await beQuiet(session, version);
  await session.query("SELECT pg_catalog.set_config('password_encryption', $1, true)", [
    encryption,
  ]);
}

/**
 * ALTER ROLE accepts no parameters, so the server itself quotes them into the statement. The schema is named, because a function
 * `format` of another user earlier in the search path would run with the rights of an admin. NULL stays NULL.
 */
async function alterRole(session: Session, account: string, value: string | null): Promise<string> {
  const [row] = await session.query(
    "SELECT pg_catalog.format('ALTER ROLE %I PASSWORD %L', $1::pg_catalog.text, $2::pg_catalog.text) AS statement",
    [account, value],
  );
  return String(row?.["statement"]);
}

const mustSeePassword =
  "If the server must see the password itself, as with credcheck, set options.sendPassword to clear";

/** The error for a missing right names the account that lacks it and the statement that grants it. */
async function refusal(session: Session, failure: Failure, call: Call): Promise<Error> {
  const { options, account } = call;
  const where = describeAccount(options, account);
  if (failure.sqlState !== insufficientPrivilege) {
    const advice = options.sendPassword === "clear" ? undefined : mustSeePassword;
    return toChangeError(failure, where, advice);
  }
  const why = await session
    .query("ROLLBACK")
    .then(() => describeLackOfRight(session, account))
    .catch(() => undefined);
  const unnamed =
    `Account \`${account}\` cannot be changed: \`${nameLogIn(call)}\` lacks the right to change it. ` +
    "Grant it CREATEROLE, and from version 16 on also ADMIN OPTION on the account.";
  return new ChangeRefusedError(`${where}, SQLSTATE ${insufficientPrivilege}: ${why ?? unnamed}`);
}
