import type { DryRunCheck } from "../../core/dry-run.ts";
import { findSlot } from "../../core/record/slots.ts";
import { isSameVersion } from "../../core/target.ts";
import { readCredential, toCredential } from "../calls/stored.ts";
import { stillLogsIn, type StoredCredential } from "../looks/credentials.ts";
import type { TargetSession } from "../session.ts";
import { report, reportError, type Stored, type Subject } from "./result.ts";

/** The result of a log-in: the secret that was tried, and the one that logged in, if any did. */
export interface LogInChecks {
  readonly checks: readonly DryRunCheck[];
  readonly tried?: StoredCredential;
  readonly live?: StoredCredential;
}

/** `next`: the account that the next rotation changes. */
export async function checkPublished(
  session: TargetSession,
  stored: Stored,
  next: string,
): Promise<LogInChecks> {
  const { publish, slots, authority } = session.target;
  const subject = { check: "published-log-in", about: publish.name } as const;
  const result = authority.as === "self" ? "failed" : "warning";
  const unread = (text: string): LogInChecks => ({
    checks: [report(subject, "not-checked", text)],
  });
  if (stored === undefined) return unread("the vault could not be read");
  if (typeof stored === "string") {
    return unread(`secret ${publish.name} is ${stored}, so no credential can be tried`);
  }
  const accounts = slots.map(({ account }) => account);
  const credential = toCredential(session, stored, accounts);
  if (!credential) {
    const text = `secret ${publish.name} holds no credential of the target; a rotation replaces the content`;
    return { checks: [report(subject, result, text)] };
  }
  const { account } = credential;
  const refused = `The target refuses the published secret ${publish.name} of account ${account}`;
  const action =
    authority.as === "self"
      ? `Store the present password of ${account} in ${publish.name}.`
      : "Request a rotation. It replaces the refused password.";
  const tried = { credential, ref: stored.ref };
  const isAuthority = account === next;
  return tryLogIn(session, subject, { ...tried, isAuthority }, (isAccepted) =>
    isAccepted
      ? report(
          subject,
          "ok",
          `Account ${account} logs in with the published secret ${publish.name}`,
        )
      : report(subject, result, refused, action),
  );
}

/** The account that the next rotation changes, unless the published secret is the account's. */
export async function checkAccount(
  session: TargetSession,
  account: string,
  published: LogInChecks,
): Promise<LogInChecks> {
  if (published.tried?.credential.account === account) return { ...published, checks: [] };
  const subject = { check: "account-log-in", about: account } as const;
  const isSelf = session.target.authority.as === "self";
  const { current } = findSlot(session.record(), account);
  const unknown = `Keyturn knows no stored password of account ${account}`;
  const skipped = (text: string): LogInChecks => {
    const more = isSelf ? "" : "; the rotation sets a new one and does not need it";
    const result = isSelf ? "failed" : "not-checked";
    return { checks: [report(subject, result, text + more)] };
  };
  if (!current || isSameVersion(current, published.tried?.ref)) return skipped(unknown);
  try {
    const credential = await readCredential(session, current, [account]);
    if (!credential) return skipped(unknown);
    const refused = `The target refuses the stored password of account ${account}`;
    const tried = { credential, ref: current, isAuthority: true };
    return await tryLogIn(session, subject, tried, (isAccepted) =>
      isAccepted
        ? report(subject, "ok", `Account ${account} logs in with its stored password`)
        : isSelf
          ? report(subject, "failed", refused, `Store the present password of ${account}.`)
          : report(subject, "warning", `${refused}; the rotation sets a new one`),
    );
  } catch (error) {
    return { checks: [reportError(session, subject, error)] };
  }
}

/** `isAuthority`: the account is the one to change. If it changes itself, its log-in stays for the next check. */
async function tryLogIn(
  session: TargetSession,
  subject: Subject,
  { isAuthority, ...tried }: StoredCredential & { readonly isAuthority: boolean },
  describe: (isAccepted: boolean) => DryRunCheck,
): Promise<LogInChecks> {
  const isSelf = session.target.authority.as === "self";
  try {
    const isAccepted = await stillLogsIn(session, { ...tried, isAuthority: isAuthority && isSelf });
    return { checks: [describe(isAccepted)], tried, ...(isAccepted && { live: tried }) };
  } catch (error) {
    return { checks: [reportError(session, subject, error)], tried };
  }
}
