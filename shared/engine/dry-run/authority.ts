import type { DryRunCheck } from "../../core/dry-run.ts";
import { judgeExamination, listWarnings } from "../../core/looks/judgements.ts";
import { findRuleConflicts } from "../../core/secrets/server-rules.ts";
import { hasOverlap, type Target } from "../../core/target.ts";
import type { Examination } from "../../rotators/rotator.ts";
import { examineAccount, readCurrent, toCredential } from "../calls/reach.ts";
import { toServerName } from "../fleet/turn.ts";
import { readAdmin } from "../looks/credentials.ts";
import { describeCredential, examineAs, type ExaminedAs, findTwin } from "../looks/preflight.ts";
import type { TargetSession } from "../session.ts";
import { report, reportError } from "./result.ts";

/** Whether the authority can log in and may change the account, and what prevents the account from logging in. */
export async function checkAuthority(
  session: TargetSession,
  account: string,
  isProven: boolean,
): Promise<DryRunCheck[]> {
  const { authority } = session.target;
  const server = { check: "server", about: toServerName(session.ports, session.target) } as const;
  if (authority.as === "self") {
    const why = `account ${account} changes its own password, and only the change itself would prove the right`;
    const right = report({ check: "privilege", about: account }, "not-checked", why);
    const own = isProven && hasOverlap(session.target) ? await checkOwn(session, account) : [];
    return isProven ? [right, ...own, describeServer(server)] : [right];
  }
  const secret = await checkAdminSecret(session);
  if (secret?.result === "failed") return [secret];
  const before = secret ? [secret] : [];
  const subject = { check: "admin-log-in", about: authority.as } as const;
  try {
    const examined = await examineAs(
      session,
      { account, isProven, ...findTwin(session.target, account) },
      readAdmin,
    );
    return [...before, ...judge(session, account, examined), describeServer(server)];
  } catch (error) {
    return [...before, reportError(session, subject, error)];
  }
}

/** What a person should know before an account with two passwords changes itself. It logs in with its published secret. */
async function checkOwn(session: TargetSession, account: string): Promise<DryRunCheck[]> {
  try {
    const stored = await readCurrent(session, session.target.publish);
    const credential =
      typeof stored === "string" ? undefined : toCredential(session, stored, [account]);
    if (typeof stored === "string" || !credential) return [];
    const as = { using: { as: "self", credential }, ref: stored.ref } as const;
    const examined = await examineAccount(session, as, { account, isProven: true });
    return examined === "rejected" ? [] : toWarnings(session.target, account, examined);
  } catch (error) {
    return [reportError(session, { check: "warnings", about: account }, error)];
  }
}

function describeServer(subject: { readonly check: "server"; readonly about: string }) {
  const text = `server ${subject.about} answers, over a connection with the TLS settings of the target`;
  return report(subject, "ok", text);
}

async function checkAdminSecret(session: TargetSession): Promise<DryRunCheck | undefined> {
  const { authority } = session.target;
  if (authority.as !== "admin") return undefined;
  const subject = { check: "admin-secret", about: authority.secret.name } as const;
  try {
    const { credential } = await readAdmin(session);
    const text = `secret ${authority.secret.name} holds the credential of ${credential.account}`;
    return report(subject, "ok", text);
  } catch (error) {
    return reportError(session, subject, error);
  }
}

function judge(
  { target }: TargetSession,
  account: string,
  { admin, examined }: ExaminedAs,
): DryRunCheck[] {
  const who = admin ? admin.credential.account : "Keyturn's Azure identity";
  const logIn = { check: "admin-log-in", about: who } as const;
  if (examined === "rejected") {
    const action = admin
      ? `Store the present password of ${who} in secret ${admin.ref.name}.`
      : "Check the account that the options name for the identity, and create it on the target.";
    const refused = `The target refuses ${describeCredential(target.authority)}`;
    return [report(logIn, "failed", refused, action)];
  }
  const obstacles = { check: "obstacles", about: account } as const;
  const judged = judgeExamination(examined);
  const isBlocked = judged.is === "obstacle";
  return [
    report(logIn, "ok", admin ? `Admin ${who} logs in` : `${who} reaches the target`),
    isBlocked
      ? report(
          obstacles,
          "failed",
          `Something blocks the account: ${judged.why}`,
          "Remove the obstacle that the sentence names.",
        )
      : report(
          obstacles,
          "ok",
          `Nothing is known that prevents account ${account} from logging in`,
        ),
    judgeRight(account, who, examined.right),
    ...judgeRules(target, account, examined),
    ...toWarnings(target, account, examined),
  ];
}

function toWarnings(target: Target, account: string, examined: Examination): DryRunCheck[] {
  return listWarnings(examined, target).map((warning) =>
    report({ check: "warnings", about: account }, "warning", warning),
  );
}

/** Whether every password of the policy satisfies the target's own rules. */
function judgeRules({ policy }: Target, account: string, { rules }: Examination): DryRunCheck[] {
  if (!rules) return [];
  const subject = { check: "password-rules", about: account } as const;
  const conflicts = findRuleConflicts(rules, policy.password);
  const what = `the passwords of policy ${policy.name}`;
  if (conflicts.length === 0) return [report(subject, "ok", `${rules.source} allows ${what}`)];
  const action = `In \`password\` of policy ${policy.name}: ${conflicts.join("; ")}.`;
  return [report(subject, "failed", `${rules.source} may refuse ${what}`, action)];
}

function judgeRight(
  account: string,
  who: string,
  right: Exclude<ExaminedAs["examined"], "rejected">["right"],
): DryRunCheck {
  const subject = { check: "privilege", about: account } as const;
  if (right.is === "missing") {
    const action = "Grant the right that the sentence names.";
    return report(subject, "failed", `A right is missing: ${right.why}`, action);
  }
  return report(subject, "ok", `${right.is}: ${who} may change account ${account}`);
}
