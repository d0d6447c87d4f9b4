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
  let clean = 0;
  let last: DiscardPlan | undefined;
  let isSent = false;
  for (let look = 0; look < mostLooks && clean < cleanLooks; look++) {
    if (look > 0) await wait(ending.pause, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw notSeen(concern, last, isSent);
    const { application } = await readApplication(access, concern, signal);
    const { keep, ended, isInTime } = ending;
    last = planDiscard(application.passwordCredentials, keep, ended);
    const isClean = last.is === "known" && last.ids.length === 0;
    clean = isClean ? clean + 1 : 0;
    for (const keyId of last.is === "known" ? last.ids : []) {
      isSent = true;
      await removeSecret(access, concern, { id: application.id, keyId, isInTime }, signal);
    }
  }
  if (clean < cleanLooks) throw notSeen(concern, last, isSent);
  await requireEnded(concern, ending, last?.unclear ?? []);
}

/** The superseded secret has no known id. If it still logs in, only a person can end it. */
async function requireEnded(
  concern: Concern,
  { ended: { superseded }, logsIn }: Ending,
  unclear: readonly string[],
): Promise<void> {
  if (!superseded || unclear.length === 0 || !(await logsIn(superseded))) return;
  throw new ChangeRefusedError(
    `${describe(concern)}: Entra does not show which secret is the superseded one, so Keyturn cannot remove it. Remove the right one ` +
      `of the secrets with these ids: ${unclear.join(", ")}`,
  );
}

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
