import { randomBytes } from "node:crypto";
import { ChangeRefusedError, isKnownError, OutcomeUnknownError } from "../../core/errors.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { differs, findAccount, findPlace, hasPassword, type Variant } from "./mysql-accounts.ts";
import {
  historyRejects,
  needsCurrent,
  noSuchAccount,
  rulesReject,
  toFailure,
  toQueryError,
} from "./mysql-errors.ts";
import { isOwnPasswordNative, readFindings, readPasswordPlugins } from "./mysql-findings.ts";
import {
  chooseVariants,
  type Findings,
  judgeGap,
  judgeMethods,
  judgeRight,
} from "./mysql-judgement.ts";
import {
  discardOwn,
  hasTwoPasswords,
  overlapOwn,
  planDiscard,
  planOverlap,
} from "./mysql-overlap.ts";
import { explainRefusal } from "./mysql-refusal.ts";
import { type CallContext, requireWritable } from "./mysql-session.ts";
import {
  alterMariadbUsers,
  alterUsers,
  discardSecond,
  setOwnMariadbPassword,
  type Statement,
} from "./mysql-statements.ts";

/** What a change needs to know. */
interface ChangeContext extends CallContext {
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
export function setPassword(
  context: CallContext,
  next: string,
  keep?: Keep,
): Promise<boolean | undefined> {
  return change(context, async (prepared) => {
    const { server, findings, variants } = prepared;
    const wanted = judgeGap(findings) === undefined ? keep : undefined;
    try {
      await setFirst(prepared, next, wanted);
    } catch (error) {
      const failure = toFailure(error);
      if (!rejectsReuse.has(failure.errno)) throw error;
      // First, because the server forgets the reason with the next query.
      const refusal = await explainRefusal(prepared, toHosts(variants), failure);
      const left = await findUnchanged(prepared, next, wanted);
      if (left.length === variants.length) throw refusal;
      if (left.length > 0) await setFirst({ ...prepared, variants: left }, next, wanted);
    }
    if (!hasTwoPasswords(server)) return false;
    return wanted === undefined || wanted.keepInDoubt ? undefined : true;
  });
}

/** Answers of servers that accept no password a second time. MariaDB reports it as an account that it failed to change. */
const rejectsReuse: ReadonlySet<number | undefined> = new Set([
  historyRejects,
  rulesReject,
  ...noSuchAccount,
]);

async function setFirst(prepared: ChangeContext, next: string, keep?: Keep): Promise<void> {
  const { server, call, variants, run } = prepared;
  const isSelf = call.using.as === "self";
  if (server.isMariadb) return setMariadbPassword(prepared, next);
  if (keep === undefined) {
    if (isSelf) return setOwnPassword(prepared, next);
    const accounts = named(call.account, variants);
    return run(alterUsers(accounts.map((it) => ({ named: it, password: next }))));
  }
  const { secret, keepInDoubt } = keep;
  const kept = secret.reveal();
  if (isSelf) return overlapOwn(run, next, kept);
  return runUntilDone(prepared, {
    plan: (now) => planOverlap(call.account, now, { next, kept, keepInDoubt }),
    isUndone: (one) => differs(one, { first: next, ...(!keepInDoubt && { second: kept }) }),
  });
}

/** The accounts without the result of the change, as far as the authority can see. An earlier call may have changed some. */
async function findUnchanged(
  prepared: ChangeContext,
  next: string,
  keep?: Keep,
): Promise<readonly Variant[]> {
  const { session, server, call, variants } = prepared;
  if (call.using.as === "self") {
    return call.using.credential.secret.reveal() === next ? [] : variants;
  }
  const kept = keep?.keepInDoubt === false ? keep.secret.reveal() : undefined;
  const { variants: now } = await findAccount(session, server, call.account, call.options);
  const isChanged = (variant: Variant) =>
    findPlace(variant, next) === "first" &&
    (kept === undefined || findPlace(variant, kept) === "second");
  return variants.filter(({ host }) => !now.some((it) => it.host === host && isChanged(it)));
}

/** Makes `keep` the only password. */
export function discardOthers(context: CallContext, keep: string): Promise<void> {
  return change(context, async (prepared) => {
    const { server, call, variants, run } = prepared;
    // The account has one password, and `keep` has just logged in.
    if (!hasTwoPasswords(server)) return;
    const isSure = variants.every((variant) => findPlace(variant, keep) === "first");
    if (call.using.as === "self" && !isSure) await discardOwn(run, keep);
    else {
      await runUntilDone(prepared, {
        plan: (now) => planDiscard(call.account, now, keep),
        isUndone: (one) => differs(one, { first: keep }) || (one.details?.second ?? "") !== "",
      });
    }
  });
}

/**
 * Sets a password that nobody knows. A lock would do on every server, but the next change could not tell it from the lock of a
 * person, which must stay.
 */
export function removePasswords(context: CallContext): Promise<void> {
  return change(context, async (prepared) => {
    const { server, call, variants, run } = prepared;
    const nobodys = `aA1!${randomBytes(48).toString("base64url")}`;
    if (server.isMariadb) return setMariadbPassword(prepared, nobodys);
    const accounts = named(call.account, variants);
    await run(alterUsers(accounts.map((it) => ({ named: it, password: nobodys }))));
    if (hasTwoPasswords(server)) await run(discardSecond(accounts));
  });
}

/** Throws before anything is sent if the change cannot succeed, and explains the server's refusal of a statement. */
async function change<Result>(
  context: CallContext,
  work: (prepared: ChangeContext) => Promise<Result>,
): Promise<Result> {
  const prepared = await prepare(context);
  try {
    return await work(prepared);
  } catch (error) {
    if (isKnownError(error)) throw error;
    throw await explainRefusal(context, toHosts(prepared.variants), toFailure(error));
  }
}

async function prepare(context: CallContext): Promise<ChangeContext> {
  const { session, server, call, where } = context;
  requireWritable(server, where);
  const findings = await readFindings(session, server, call).catch((error: unknown) => {
    throw isKnownError(error) ? error : toQueryError(toFailure(error), where);
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
    ...context,
    findings,
    variants: variants.filter(hasPassword),
    run: async ({ text, values }) => {
      await session.query(text, values);
    },
  };
}

const toHosts = (variants: readonly Variant[]) => variants.map(({ host }) => host);

const named = (account: string, variants: readonly Variant[]) =>
  variants.map(({ host }) => ({ account, host }));

interface Plan {
  readonly plan: (variants: readonly Variant[]) => readonly Statement[];
  /** Whether the statements have certainly not had their effect on the variant. */
  readonly isUndone: (variant: Variant) => boolean;
}

/** A person may change the password between two statements, which then mean something else. */
const maxRounds = 3;

async function runUntilDone(prepared: ChangeContext, { plan, isUndone }: Plan): Promise<void> {
  const { session, server, call, where, run } = prepared;
  let { variants } = prepared;
  for (let round = 1; round <= maxRounds; round++) {
    for (const statement of plan(variants)) await run(statement);
    const found = await findAccount(session, server, call.account, call.options);
    variants = found.variants.filter(hasPassword);
    if (!variants.some(isUndone)) return;
  }
  throw new OutcomeUnknownError(
    `${where}: somebody else changes the account at the same time, so it may have other passwords`,
  );
}

/** An account may have to name its present password, which is that of the log-in. */
async function setOwnPassword(
  { run, call: { using } }: ChangeContext,
  next: string,
): Promise<void> {
  try {
    await run(alterUsers([{ named: "me", password: next }]));
  } catch (error) {
    if (toFailure(error).errno !== needsCurrent || using.as === "identity") throw error;
    const replaces = using.credential.secret.reveal();
    await run(alterUsers([{ named: "me", password: next, replaces }]));
  }
}

async function setMariadbPassword(prepared: ChangeContext, password: string): Promise<void> {
  const { session, call, where, variants, run } = prepared;
  const look = async () => ({
    hasRules: (await readPasswordPlugins(session)).length > 0,
    isNative: call.using.as === "self" && (await isOwnPasswordNative(session)),
  });
  const { hasRules, isNative } = await look().catch((error: unknown) => {
    throw toQueryError(toFailure(error), where);
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
