import { describeImmediateStart, type DryRunCheck, findDelay } from "../../core/dry-run.ts";
import {
  findDeleted,
  findVanished,
  judgeWritable,
  type Missing,
} from "../../core/looks/judgements.ts";
import { chooseAccount } from "../../core/record/slots.ts";
import { toPendingName } from "../../core/target.ts";
import { plus } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";
import { generateSecret } from "../calls/generate.ts";
import { readCurrent } from "../calls/stored.ts";
import { findAdminUser } from "../looks/admin-in-use.ts";
import { requireRoom } from "../phases/publication.ts";
import type { TargetSession } from "../session.ts";
import { checkAuthority } from "./authority.ts";
import { checkAccount, checkPublished } from "./log-ins.ts";
import { report, reportError, type Stored } from "./result.ts";

/** Makes the checks one after another. A failed check does not end the dry run; checks that depend on it are not made. */
export async function runChecks(session: TargetSession): Promise<DryRunCheck[]> {
  const { target } = session;
  const account = chooseAccount(target, session.record());
  const start = await checkStart(session);
  const { checks, stored } = await checkVault(session);
  const published = await checkPublished(session, stored, account);
  const own = await checkAccount(session, account, published);
  const authority = await checkAuthority(session, account, own.live);
  return [
    start,
    ...checks,
    ...(await checkBudget(session)),
    ...published.checks,
    ...own.checks,
    ...authority,
    await checkNewVersion(session, account, stored),
    ...target.consumers.map(skipConsumer),
  ];
}

async function checkStart(session: TargetSession): Promise<DryRunCheck> {
  const { target, ports } = session;
  const subject = { check: "start", about: target.id } as const;
  const delay = findDelay(session.record(), target, session.now());
  if (delay) {
    const until = delay.until === undefined ? "" : ` until ${delay.until}`;
    const action = `See GET /api/targets/${target.id}/explanation for what can end the wait.`;
    return report(
      subject,
      "warning",
      `a rotation requested now waits${until}: ${delay.why}`,
      action,
    );
  }
  const user = await findAdminUser(ports, target);
  if (user === undefined) return report(subject, "ok", describeImmediateStart(session.record()));
  const why = `a rotation requested now waits until target ${user} is changed, because that change logs in with this credential`;
  return report(subject, "warning", why);
}

async function checkVault(session: TargetSession) {
  const { publish } = session.target;
  const read = { check: "vault-read", about: publish.name } as const;
  const write = { check: "vault-write", about: publish.name } as const;
  try {
    const stored = await readCurrent(session, publish);
    const missing = typeof stored === "string" ? stored : "";
    const is = missing === "" ? "holds a current version" : `is ${missing}`;
    const found = report(
      read,
      "ok",
      `vault ${publish.vault} answers, and secret ${publish.name} ${is}`,
    );
    const tags = typeof stored === "string" ? undefined : stored.tags;
    return { stored, checks: [found, checkWrite(session, missing, tags)] };
  } catch (error) {
    const skipped = report(write, "not-checked", "the vault could not be read");
    return { stored: undefined, checks: [reportError(session, read, error), skipped] };
  }
}

function checkWrite(
  session: TargetSession,
  missing: Missing,
  tags: StoredSecret["tags"] | undefined,
): DryRunCheck {
  const { target } = session;
  const record = session.record();
  const subject = { check: "vault-write", about: target.publish.name } as const;
  const wanted = { requestedBy: "a person", failures: 0 };
  const problem =
    findDeleted(target.publish.name, missing) ?? findVanished(target, record, wanted, missing);
  if (problem !== undefined) return report(subject, "failed", problem);
  const hasStored = record.tidiedAt !== undefined || record.lastSuccessAt !== undefined;
  const { is, sentence } = judgeWritable(target, tags, hasStored);
  if (is === "proven") return report(subject, "ok", `proven: ${sentence}`);
  if (is === "likely")
    return report(subject, "ok", `likely: Keyturn has written to the vault before`);
  return report(subject, "not-checked", sentence);
}

/** A request for no room tells how long the vault has none, and takes nothing. */
async function checkBudget(session: TargetSession): Promise<DryRunCheck[]> {
  const { target, ports } = session;
  const vaults = new Set([toPendingName(target).vault, target.publish.vault]);
  const checks: DryRunCheck[] = [];
  for (const vault of vaults) {
    const subject = { check: "vault-budget", about: vault } as const;
    const wait = (await ports.pace?.take(vault, 0, 0)) ?? 0;
    const until = plus(session.now(), wait);
    checks.push(
      wait > 0
        ? report(subject, "warning", `vault ${vault} accepts no new versions until about ${until}`)
        : report(subject, "ok", `vault ${vault} has room for new versions`),
    );
  }
  return checks;
}

/** Generates a password and builds the version that a rotation would publish, and stores neither. */
async function checkNewVersion(
  session: TargetSession,
  account: string,
  stored: Stored,
): Promise<DryRunCheck> {
  const { target, ports } = session;
  const hasOwnForm = ports.rotator(target.type).toSecret !== undefined;
  const subject = { check: "new-version", about: target.publish.name } as const;
  if (stored === undefined) return report(subject, "not-checked", "the vault could not be read");
  try {
    const secret = generateSecret(session, account);
    await requireRoom(session, "dry-run", { account, secret }, stored);
    const rules = hasOwnForm
      ? "Keyturn generates a key in the form of the system"
      : `the \`password\` rules of policy ${target.policy.name} produce a password`;
    return report(subject, "ok", `${rules}, and the new version fits into ${target.publish.name}`);
  } catch (error) {
    return reportError(session, subject, error);
  }
}

function skipConsumer(name: string): DryRunCheck {
  const why = `consumer ${name} can only be notified, and a notification may restart it`;
  return report({ check: "consumer", about: name }, "not-checked", why);
}
