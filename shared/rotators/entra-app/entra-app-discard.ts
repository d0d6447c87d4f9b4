import { setTimeout as wait } from "node:timers/promises";
import type { AzureAccess } from "../../azure/azure-call.ts";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Ended } from "../rotator.ts";
import { type Concern, describe } from "./entra-app-errors.ts";
import { readApplication, removeSecret } from "./entra-app-graph.ts";
import { type DiscardPlan, planDiscard } from "./entra-app-secrets.ts";

/** Lists without the ended secrets that must follow each other: one list may be old. */
const cleanLooks = 3;
const mostLooks = 8;

export interface Ending {
  readonly keep: Credential;
  readonly ended: Ended;
  readonly isInTime: (() => boolean) | undefined;
  /** Milliseconds between two lists. */
  readonly pause: number;
  /** Whether the application still logs in with the secret. */
  readonly logsIn: (credential: Credential) => Promise<boolean>;
}

/** Removes the ended secrets, and looks until the lists show it. */
export async function endSecrets(
  access: AzureAccess,
  concern: Concern,
  ending: Ending,
  signal: AbortSignal,
): Promise<void> {
  const { keep, isInTime, pause } = ending;
  let ended = await withoutUseless(ending);
  let clean = 0;
  let last: DiscardPlan | undefined;
  let isSent = false;
  for (let look = 0; look < mostLooks && clean < cleanLooks; look++) {
    if (look > 0) await wait(pause, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw notSeen(concern, last, isSent);
    const { application } = await readApplication(access, concern, signal);
    last = planDiscard(application.passwordCredentials, keep, ended);
    const { is, ids } = last;
    ended = withFoundId(ended, last);
    clean = is === "known" && ids.length === 0 ? clean + 1 : 0;
    for (const keyId of is === "known" ? ids : []) {
      isSent = true;
      await removeSecret(access, concern, { id: application.id, keyId, isInTime }, signal);
    }
  }
  if (clean < cleanLooks) throw notSeen(concern, last, isSent);
  if (last && last.unclear.length > 0) throw notClear(concern, last.unclear);
}

/** A superseded secret without an id that does not log in has ended already. Another secret may begin like it. */
async function withoutUseless({ ended, logsIn }: Ending): Promise<Ended> {
  const { superseded, ...rest } = ended;
  return superseded && (await logsIn(superseded)) ? ended : rest;
}

/** Once the superseded secret is gone, another one may be the only one that begins like it. */
const withFoundId = (ended: Ended, { supersededId: id }: DiscardPlan): Ended =>
  id === undefined ? ended : { targetId: ended.targetId, ids: [...ended.ids, id] };

const notClear = (concern: Concern, unclear: readonly string[]): Error =>
  new ChangeRefusedError(
    `${describe(concern)}: Entra does not show which secret is the superseded one, so Keyturn cannot remove it. Remove the right one ` +
      `of the secrets with these ids: ${unclear.join(", ")}`,
  );

function notSeen(concern: Concern, last: DiscardPlan | undefined, isSent: boolean): Error {
  const where = describe(concern);
  const ids = last?.ids.join(", ") ?? "";
  if (last?.is === "unknown") {
    return new ChangeRefusedError(
      `${where}: Entra does not show which secret is the published one, so Keyturn removes none. Remove the superseded secrets by hand` +
        (ids === "" ? "" : `. Their ids are ${ids}`),
    );
  }
  if (!isSent) return new TargetUnavailableError(`${where}: timed out before a secret was removed`);
  return new OutcomeUnknownError(
    `${where}: Entra has not confirmed yet that it has removed the secrets with these ids: ${ids}`,
  );
}
