import { randomBytes } from "node:crypto";
import { ChangeRefusedError, isKnownError, OutcomeUnknownError } from "../../core/errors.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import type { Retire } from "../rotator.ts";
import { findPlace, hasPassword, type Variant } from "./mysql-accounts.ts";
import {
  contradictsRules,
  type Failure,
  lackOfRight,
  needsCurrent,
  noSuchAccount,
  toChangeError,
  toFailure,
  toLookError,
} from "./mysql-errors.ts";
import { hasPasswordRules, isOwnPasswordNative, readFindings } from "./mysql-findings.ts";
import {
  chooseVariants,
  type Findings,
  judgeGap,
  judgeMethods,
  judgeRight,
} from "./mysql-judgement.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import {
  discardOwn,
  hasTwoPasswords,
  overlapOwn,
  planDiscard,
  planOverlap,
} from "./mysql-overlap.ts";
import { describeRules } from "./mysql-rules.ts";
import { requireWritable, type Server, type Session } from "./mysql-session.ts";
import {
  alterMariadbUsers,
  alterUsers,
  discardSecond,
  setOwnMariadbPassword,
  type Statement,
} from "./mysql-statements.ts";

/** The session of the authority, and where it is for messages. */
export interface Place {
  readonly session: Session;
  readonly server: Server;
  readonly call: Retire<MysqlOptions>;
  readonly where: string;
}

/** What a change needs to know. */
interface Changing extends Place {
  readonly findings: Findings;
  readonly variants: readonly Variant[];
  readonly run: (statement: Statement) => Promise<void>;
}

/** The secret to keep, and whether it may not be set because the server refused it lately. */
interface Keep {
  readonly secret: Secret;
  readonly keepInDoubt: boolean;
}

/**
 * Sets the first password of the account. Returns true if `keep` logs in too, false if certainly no other password does, and undefined if
 * one may.
 */
export function setPassword(place: Place, next: string, keep?: Keep): Promise<boolean | undefined> {
  return change(place, async (changing) => {
    const { server, call, findings, variants, run } = changing;
    const isSelf = call.using.as === "self";
    if (server.isMariadb) {
      await setMariadbPassword(changing, next);
      return false;
    }
    if (keep === undefined || judgeGap(findings) !== undefined) {
      if (isSelf) await setOwnPassword(changing, next);
      else
        await run(
          alterUsers(named(call.account, variants).map((it) => ({ named: it, password: next }))),
        );
      return hasTwoPasswords(server) ? undefined : false;
    }
    const { secret, keepInDoubt } = keep;
    const kept = secret.reveal();
    if (isSelf) await overlapOwn(run, next, kept);
    else await runAll(changing, planOverlap(call.account, variants, { next, kept, keepInDoubt }));
    return keepInDoubt ? undefined : true;
  });
}

/** Makes `keep` the only password. */
export function discardOthers(place: Place, keep: string): Promise<void> {
  return change(place, async (changing) => {
    const { server, call, variants, run } = changing;
    // The account has one password, and `keep` has just logged in.
    if (!hasTwoPasswords(server)) return;
    const isSure = variants.every((variant) => findPlace(variant, keep) === "first");
    if (call.using.as === "self" && !isSure) await discardOwn(run, keep);
    else await runAll(changing, planDiscard(call.account, variants, keep));
  });
}

/**
 * Sets a password that nobody knows. A lock would do on every server, but the next change could not tell it from the lock of a
 * person, which must stay.
 */
export function removePasswords(place: Place): Promise<void> {
  return change(place, async (changing) => {
    const { server, call, variants, run } = changing;
    const nobodys = `aA1!${randomBytes(48).toString("base64url")}`;
    if (server.isMariadb) return setMariadbPassword(changing, nobodys);
    const accounts = named(call.account, variants);
    await run(alterUsers(accounts.map((it) => ({ named: it, password: nobodys }))));
    if (hasTwoPasswords(server)) await run(discardSecond(accounts));
  });
}

/** Throws before anything is sent if the change cannot succeed, and explains the server's refusal of a statement. */
async function change<Result>(
  place: Place,
  work: (changing: Changing) => Promise<Result>,
): Promise<Result> {
  const changing = await prepare(place);
  try {
    return await work(changing);
  } catch (error) {
    throw isKnownError(error) ? error : toRefusal(changing, toFailure(error));
  }
}

async function prepare(place: Place): Promise<Changing> {
  const { session, server, call, where } = place;
  requireWritable(server, where);
  const findings = await readFindings(session, server, call).catch((error: unknown) => {
    throw isKnownError(error) ? error : toLookError(toFailure(error), where);
  });
  const right = judgeRight(findings);
  const variants = chooseVariants(findings);
  const problem =
    right.is === "missing"
      ? right.why
      : variants.length === 0
        ? "the account does not exist"
        : judgeMethods(call.account, variants);
  if (problem !== undefined) throw new ChangeRefusedError(`${where}: ${problem}`);
  return {
    ...place,
    findings,
    variants: variants.filter(hasPassword),
    run: async ({ text, values }) => {
      await session.query(text, values);
    },
  };
}

const named = (account: string, variants: readonly Variant[]) =>
  variants.map(({ host }) => ({ account, host }));

async function runAll({ run }: Changing, statements: readonly Statement[]): Promise<void> {
  for (const statement of statements) await run(statement);
}

/** An account may have to name its present password, which is that of the log-in. */
async function setOwnPassword({ run, call: { using } }: Changing, next: string): Promise<void> {
  try {
    await run(alterUsers([{ named: "me", password: next }]));
  } catch (error) {
    if (toFailure(error).errno !== needsCurrent || using.as === "identity") throw error;
    const replaces = using.credential.secret.reveal();
    await run(alterUsers([{ named: "me", password: next, replaces }]));
  }
}

async function setMariadbPassword(changing: Changing, password: string): Promise<void> {
  const { session, call, where, variants, run } = changing;
  const look = async () => ({
    hasRules: await hasPasswordRules(session),
    isNative: call.using.as === "self" && (await isOwnPasswordNative(session)),
  });
  const { hasRules, isNative } = await look().catch((error: unknown) => {
    throw toLookError(toFailure(error), where);
  });
  if (call.using.as === "self") {
    await run(setOwnMariadbPassword(password, isNative && !hasRules));
    return;
  }
  const accounts = variants.map(({ host, details }) => ({
    named: { account: call.account, host },
    plugin: details?.plugin ?? "",
  }));
  await run(alterMariadbUsers(accounts, password, hasRules));
}

/** The error for a statement that failed. It names the missing right or the rule. */
function toRefusal(changing: Changing, failure: Failure): Error {
  const { server, call, where, variants } = changing;
  const error = toChangeError(failure, where);
  const { errno } = failure;
  if (errno === undefined) return error;
  if (server.isMariadb && variants.length > 1 && noSuchAccount.has(errno)) {
    return new OutcomeUnknownError(
      `${where}, error ${errno}: the server changed only some of the account's hosts (${variants.map(({ host }) => host).join(", ")})`,
    );
  }
  if (lackOfRight.has(errno)) {
    return new ChangeRefusedError(
      `${where}, error ${errno}: Account \`${call.account}\` cannot be changed: \`${server.me.account}\` lacks the right to change it. ` +
        "Grant it CREATE USER, and SYSTEM_USER if the account has SYSTEM_USER.",
    );
  }
  if (!contradictsRules.has(errno)) return error;
  const rules = describeRules(server.variables);
  return rules === "" ? error : new ChangeRefusedError(`${error.message}. Its rules: ${rules}`);
}
