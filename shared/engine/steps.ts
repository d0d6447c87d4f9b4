import type { EventType } from "../core/events.ts";
import { generatePassword } from "../core/password.ts";
import { renderPayload } from "../core/payload.ts";
import type { Rotation, WorkingPhase } from "../core/rotation.ts";
import { expiryOf } from "../core/schedule.ts";
import { type Credential, Secret } from "../core/secret.ts";
import { pendingName } from "../core/target.ts";
import { day } from "../core/time.ts";
import { applying, pendingCredential, pendingLost } from "./applying.ts";
import { reportForeignVersion } from "./drift.ts";
import { credentialIn, disableVersion, logsIn, readCurrent, writeVersion } from "./reach.ts";
import type { Session } from "./session.ts";
import { type Advance, NotIdenticalError, type Step } from "./step.ts";

/** One step a phase, each safe to repeat: a crash may have hidden that it was done. */
export const steps: Readonly<Record<WorkingPhase, Step>> = {
  staging,
  applying,
  publishing,
  checking,
  refreshing,
  cleaning,
};

/** What is told once the step of a phase has succeeded. */
export const eventOf: Readonly<Record<WorkingPhase, EventType>> = {
  staging: "staged",
  applying: "verified",
  publishing: "published",
  checking: "checked",
  refreshing: "refreshed",
  cleaning: "cleaned",
};

/** A crash before the journal knows of the version leaves an orphan that was never given to anybody. */
async function staging(session: Session, rotation: Rotation): Promise<Advance> {
  const { target, ports } = session;
  const password = generatePassword(target.policy.password, [rotation.account], ports.randomBytes);
  const credential = { account: rotation.account, secret: session.guard(new Secret(password)) };
  const endpoint = ports.rotator(target.type).endpoint(target.options);
  const pending = await writeVersion(session, pendingName(target), {
    ...renderPayload("json", credential, endpoint),
    tags: keyturnTags(session, rotation),
  });
  return { to: "applying", learnt: { pending, changeBegan: false } };
}

async function publishing(session: Session, rotation: Rotation): Promise<Advance> {
  const { target } = session;
  const credential = await pendingCredential(session, rotation);
  if (!credential) return pendingLost(session, rotation);
  const current = await readCurrent(session, target.publish);
  const payload = renderPayload(target.publish.as, credential, endpointOf(session));
  if (
    typeof current !== "string" &&
    current.tags["keyturn-rotation"] === rotation.id &&
    current.value.equals(payload.value)
  ) {
    return { to: "checking", learnt: { published: current.ref } };
  }
  await reportForeignVersion(session, current, rotation.id);
  const published = await writeVersion(session, target.publish, {
    ...payload,
    ...expiry(session),
    tags: publishedTags(session, rotation),
  });
  return { to: "checking", learnt: { published } };
}

/** Proves that both sides are identical: what a consumer reads now is what was published, and it logs in. */
async function checking(session: Session, rotation: Rotation): Promise<Advance> {
  const { target } = session;
  const current = await readCurrent(session, target.publish);
  const expected = await pendingCredential(session, rotation);
  const found =
    typeof current === "string" ? undefined : credentialIn(session, current, [rotation.account]);
  if (typeof current === "string" || !found || !expected || !sameCredential(found, expected)) {
    await reportForeignVersion(session, current, rotation.id);
    throw new NotIdenticalError(
      `${target.publish.name} does not read back as it was published`,
      "publishing",
    );
  }
  if (!(await logsIn(session, found))) {
    throw new NotIdenticalError(
      `the target refuses what ${target.publish.name} now says`,
      "applying",
    );
  }
  return { to: "refreshing", learnt: { published: current.ref } };
}

async function refreshing(session: Session, rotation: Rotation): Promise<Advance> {
  const { ports, target } = session;
  const { published } = rotation;
  if (published) {
    for (const name of target.consumers) {
      const refresh = { targetId: target.id, rotationId: rotation.id, published };
      await session.hold();
      await ports.consumer(name).refresh(refresh, ports.deadline(20_000));
    }
  }
  return { to: "cleaning" };
}

async function cleaning(session: Session, rotation: Rotation): Promise<Advance> {
  if (rotation.pending) await disableVersion(session, rotation.pending);
  return { to: "done" };
}

function sameCredential(a: Credential, b: Credential): boolean {
  return a.account === b.account && a.secret.equals(b.secret);
}

function endpointOf({ ports, target }: Session) {
  return ports.rotator(target.type).endpoint(target.options);
}

function expiry(session: Session): { expiresAt?: string } {
  const { target } = session;
  const expiresAt = expiryOf(target.policy, session.now(), target.id);
  return expiresAt === undefined ? {} : { expiresAt };
}

function keyturnTags(session: Session, rotation: Rotation): Record<string, string> {
  return {
    "keyturn-target": session.target.id,
    "keyturn-rotation": rotation.id,
    "keyturn-account": rotation.account,
  };
}

/** The last three are what Azure's own rotation samples write, so that tools made for those keep working. */
function publishedTags(session: Session, rotation: Rotation): Record<string, string> {
  const { every } = session.target.policy;
  return {
    ...keyturnTags(session, rotation),
    CredentialId: rotation.account,
    ProviderAddress: endpointOf(session).host,
    ...(every !== undefined &&
      every >= day && { ValidityPeriodDays: String(Math.floor(every / day)) }),
  };
}
