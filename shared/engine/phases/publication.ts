import { ConfigError } from "../../core/errors.ts";
import { toFactTags } from "../../core/payload/fact-tags.ts";
import { mergePayload } from "../../core/payload/merge-payload.ts";
import { findShapeChange, type PayloadShape, renderPayload } from "../../core/payload/payload.ts";
import { computeExpiry } from "../../core/policy/due/schedule.ts";
import { redact } from "../../core/secrets/redact.ts";
import type { Credential, Secret } from "../../core/secrets/secret.ts";
import { type Endpoint, toPendingName, type VersionRef } from "../../core/target.ts";
import { day, findEarliest } from "../../core/time.ts";
import { vaultLimits } from "../../core/vault-limits.ts";
import type { SecretContent, StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { readVersion, writeVersion } from "../calls/stored.ts";
import { rethrowUnlessExpected } from "../failure.ts";
import { rememberPending } from "../looks/credentials.ts";
import type { TargetSession } from "../session.ts";

function getEndpoint({ ports, target }: TargetSession): Endpoint {
  return ports.rotator(target.type).endpoint(target.options);
}

/** The connection string of the service with this secret, if it is published and the service has its own form of it. */
function toConnectionString(
  { ports, target, ...session }: TargetSession,
  credential: Credential,
): Secret | undefined {
  const { options, publish } = target;
  const rotator = ports.rotator(target.type);
  if (publish.as === "password" || rotator.findTextFault?.(options) !== undefined) return undefined;
  const text = rotator.toConnectionString?.(options, credential);
  return text && session.guard(text);
}

/** Tags of everything that a rotation writes. */
function toKeyturnTags(
  session: TargetSession,
  rotationId: string,
  credential: Credential,
): Record<string, string> {
  return {
    "keyturn-target": session.target.id,
    "keyturn-rotation": rotationId,
    "keyturn-account": credential.account,
    ...toFactTags(credential),
  };
}

/** Stores the secret that a rotation gives an account. Nobody reads it until the rotation publishes it. `more`: further tags. */
export async function storePending(
  session: TargetSession,
  rotationId: string,
  credential: Credential,
  more: Readonly<Record<string, string>> = {},
): Promise<VersionRef> {
  const knownAt = session.now();
  const ref = await writeVersion(session, toPendingName(session.target), {
    ...renderPayload("json", credential, getEndpoint(session)),
    tags: { ...toKeyturnTags(session, rotationId, credential), ...more },
  });
  rememberPending(session, { credential, ref, knownAt });
  return ref;
}

/** A version to publish, and what it keeps of the previous version. */
export interface Publication {
  readonly content: SecretContent;
  /** Sentences about parts of the previous version that could not be kept or updated. */
  readonly notes: readonly string[];
  /** False if the previous content was left out because it does not fit. */
  readonly fits: boolean;
}

/**
 * Builds the version that consumers read: the credential, and the other content of the previous version. The last three tags are those
 * of Azure's own samples, so that tools made for those samples continue to work.
 */
export function makePublication(
  session: TargetSession,
  rotationId: string,
  credential: Credential,
  previous: StoredSecret | undefined,
): Publication {
  const { policy, publish, slots, tags } = session.target;
  const expiresAt = findEarliest(
    computeExpiry(policy, session.now(), session.target.id),
    credential.expiresAt,
  );
  const days = Math.floor((policy.every ?? 0) / day);
  const fresh = {
    ...renderPayload(
      publish.as,
      credential,
      getEndpoint(session),
      toConnectionString(session, credential),
    ),
    tags: {
      ...toKeyturnTags(session, rotationId, credential),
      CredentialId: credential.account,
      ProviderAddress: getEndpoint(session).host,
      ...(days > 0 && { ValidityPeriodDays: String(days) }),
    },
  };
  const accounts = slots.map(({ account }) => account);
  const { notes, fits, ...merged } = mergePayload({ previous, fresh, credential, accounts, tags });
  return { content: { ...merged, ...(expiresAt !== undefined && { expiresAt }) }, notes, fits };
}

/** Warns that the next rotation will write the secret in a different form than consumers read now, although nobody requested that. */
export function findShapeWarning(session: TargetSession, shape: PayloadShape): string | undefined {
  const { name, as } = session.target.publish;
  const change = findShapeChange(shape, as);
  if (change === undefined) return undefined;
  const warning = `${name} ${change}`;
  session.emit({ type: "shape-differs", detail: warning });
  return warning;
}

/** Reads the version whose other content the next one keeps: the current version, or the last known one if that cannot be read. */
export async function readPrevious(
  session: TargetSession,
  current: StoredSecret | Unreadable,
): Promise<StoredSecret | undefined> {
  if (typeof current !== "string") return current;
  const { published } = session.record();
  if (published?.name !== session.target.publish.name) return undefined;
  try {
    const known = await readVersion(session, published);
    return typeof known === "string" ? undefined : known;
  } catch (error) {
    // An unreadable version must not keep consumers from the new one.
    rethrowUnlessExpected(error);
    return undefined;
  }
}

/** Checks, before anything is changed, that the other content of the published secret fits into the next version. */
export async function requireRoom(
  session: TargetSession,
  rotationId: string,
  credential: Credential,
  current: StoredSecret | Unreadable,
): Promise<void> {
  const { publish } = session.target;
  const previous = await readPrevious(session, current);
  if (makePublication(session, rotationId, credential, previous).fits) return;
  const bytes = previous ? Buffer.byteLength(previous.value.reveal()) : 0;
  throw new ConfigError(
    `a new credential does not fit into secret ${publish.name} together with the other content of the secret: ` +
      `the current version has ${bytes} bytes, and a version may have at most ${vaultLimits.valueBytes} bytes. ` +
      `Store a shorter version.`,
  );
}

/** Writes the published secret. Afterwards, it logs what could not be kept of the previous version. */
export async function publish(
  session: TargetSession,
  rotationId: string,
  { content, notes }: Publication,
): Promise<VersionRef> {
  // Vaults have no conditional write: a worker that lost its claim finds out here. If it loses it later, the owner checks the secret.
  await session.commit(session.record());
  session.noteChange();
  const version = await writeVersion(session, session.target.publish, content);
  for (const note of notes) {
    const detail = redact(`${version.name}: ${note}`, session.secrets());
    session.emit({ type: "not-kept", rotationId, version, detail });
  }
  return version;
}
