import { renderPayload } from "../core/payload.ts";
import { expiryOf } from "../core/schedule.ts";
import type { Credential } from "../core/secret.ts";
import type { Endpoint } from "../core/target.ts";
import { day } from "../core/time.ts";
import type { SecretContent } from "../vaults/vault.ts";
import type { Session } from "./session.ts";

export function endpointOf({ ports, target }: Session): Endpoint {
  return ports.rotator(target.type).endpoint(target.options);
}

/** Tags of everything that a rotation writes. */
export function keyturnTags(
  session: Session,
  rotationId: string,
  account: string,
): Record<string, string> {
  return {
    "keyturn-target": session.target.id,
    "keyturn-rotation": rotationId,
    "keyturn-account": account,
  };
}

/** What consumers read. The last three tags are those of Azure's own samples, so that tools made for them go on working. */
export function publicationOf(
  session: Session,
  rotationId: string,
  credential: Credential,
): SecretContent {
  const { policy, publish } = session.target;
  const expiresAt = expiryOf(policy, session.now(), session.target.id);
  const days = Math.floor((policy.every ?? 0) / day);
  return {
    ...renderPayload(publish.as, credential, endpointOf(session)),
    ...(expiresAt !== undefined && { expiresAt }),
    tags: {
      ...keyturnTags(session, rotationId, credential.account),
      CredentialId: credential.account,
      ProviderAddress: endpointOf(session).host,
      ...(days > 0 && { ValidityPeriodDays: String(days) }),
    },
  };
}
