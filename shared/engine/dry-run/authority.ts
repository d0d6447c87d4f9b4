import type { DryRunCheck } from "../../core/dry-run.ts";
import { judgeExamination, listWarnings } from "../../core/looks/judgements.ts";
import { findRuleConflicts } from "../../core/secrets/server-rules.ts";
import type { Target } from "../../core/target.ts";
import type { Examination } from "../../rotators/rotator.ts";
import { readAdmin } from "../calls/admin-credential.ts";
import type { Examined } from "../calls/reach.ts";
import { toServerName } from "../fleet/turn.ts";
import type { StoredCredential } from "../looks/credentials.ts";
import {
  describeCredential,
  examineAs,
  type ExaminedAs,
  examineSelf,
  findTwin,
  nameAuthority,
} from "../looks/preflight.ts";
import type { TargetSession } from "../session.ts";
import { report, reportError } from "./result.ts";

/**
 * Whether the authority can log in and may change the account, and what prevents the account from logging in. `live`: the account's
 * stored secret, if it has just logged in.
 */
export async function checkAuthority(
  session: TargetSession,
  account: string,
  live: StoredCredential | undefined,
): Promise<DryRunCheck[]> {
  const { target, ports } = session;
  const examine = { account, isProven: live !== undefined, ...findTwin(target, account) };
  const server = describeServer(toServerName(ports, target));
  if (target.authority.as === "self") return checkSelf(session, live, examine, server);
  const secret = await checkAdminSecret(session);
  if (secret?.result === "failed") return [secret];
  const before = secret ? [secret] : [];
  const subject = { check: "admin-log-in", about: target.authority.as } as const;
  try {
    const examined = await examineAs(session, examine, readAdmin);
    return [...before, ...judge(session, account, examined), server];
  } catch (error) {
    return [...before, reportError(session, subject, error)];
  }
}

async function checkSelf(
  session: TargetSession,
  live: StoredCredential | undefined,
  examine: Examined,
  server: DryRunCheck,
): Promise<DryRunCheck[]> {
  const { account } = examine;
  const subject = { check: "privilege", about: account } as const;
  if (!live) {
    const why = `account ${account} changes its own password, and no stored password of it has logged in`;
    return [report(subject, "not-checked", why)];
  }
  try {
    const { examined } = await examineSelf(session, live, { ...examine, isLast: true });
    if (examined === "rejected") {
      const refused = `The target refuses ${describeCredential({ as: "self" }, account)}`;
      return [report(subject, "failed", refused, `Store the present password of ${account}.`)];
    }
    return [...judgeChange(session.target, account, account, examined), server];
  } catch (error) {
    return [reportError(session, subject, error)];
  }
}

function describeServer(about: string): DryRunCheck {
  const text = `server ${about} answers, over a connection with the TLS settings of the target`;
  return report({ check: "server", about }, "ok", text);
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
  { stored: admin, using, examined }: ExaminedAs,
): DryRunCheck[] {
  const who = nameAuthority(using);
  const logIn = { check: "admin-log-in", about: who } as const;
  if (examined === "rejected") {
    const action = admin
      ? `Store the present password of ${who} in secret ${admin.ref.name}.`
      : "Check the account that the options name for the identity, and create it on the target.";
    const refused = `The target refuses ${describeCredential(target.authority, account)}`;
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
    ...judgeChange(target, account, who, examined),
  ];
}

/** What the examination says about a change of the account by `who`. */
function judgeChange(
  target: Target,
  account: string,
  who: string,
  examined: Examination,
): DryRunCheck[] {
  return [
    judgeRight(account, who, examined.right),
    ...judgeRules(target, account, examined),
    ...listWarnings(examined, target).map((warning) =>
      report({ check: "warnings", about: account }, "warning", warning),
    ),
  ];
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

function judgeRight(account: string, who: string, right: Examination["right"]): DryRunCheck {
  const subject = { check: "privilege", about: account } as const;
  if (right.is === "missing") {
    const action = "Grant the right that the sentence names.";
    return report(subject, "failed", `A right is missing: ${right.why}`, action);
  }
  return report(subject, "ok", `${right.is}: ${who} may change account ${account}`);
}
