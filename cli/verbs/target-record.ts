import type { ApiAnswer, TargetEntry } from "../api/endpoints.ts";
import { colourState } from "../output/colour.ts";
import { formatRecord } from "../output/table.ts";
import { longTime, shortTime } from "../output/times.ts";

/** What happens to a target now, in a few words. Undefined when nothing does. */
export function stateOf(target: TargetEntry): string | undefined {
  const { active, pause, rotation, queuedRotation, queuedUntil, retirement } = target;
  if (pause && !rotation) return "paused";
  if (rotation?.heldBy !== undefined) return `waits: ${rotation.heldBy}`;
  if (rotation) return rotation.phase;
  if (queuedRotation !== undefined) {
    return queuedUntil === undefined ? "queued" : `queued until ${shortTime(queuedUntil) ?? ""}`;
  }
  if (!retirement) return undefined;
  const { account } = retirement;
  return account === active ? `ends the old password of ${account}` : `retires ${account}`;
}

const versionOf = (published: TargetEntry["published"]): string | undefined =>
  published && `version ${published.version}`;

const join = (...parts: readonly (string | undefined)[]): string | undefined =>
  parts.filter((part) => part !== undefined).join(", ") || undefined;

const describeDue = (due: ApiAnswer<"api-target">["valueDue"]): string | undefined =>
  due && `since ${due.since}, ${due.why}`;

export function formatTarget(target: ApiAnswer<"api-target">, now: number): string {
  const { exposure, lastFailure, pause, retirement, rotation, secret, tags } = target;
  const time = (instant: string | undefined) => longTime(instant, now);
  return formatRecord([
    ["Target", target.id],
    ["Type", target.type],
    ["Health", target.health, colourState],
    ["Unreadable", target.unreadable],
    ["Accounts", `${target.accounts.join(", ")} (changed by: ${target.changedBy})`],
    ["Active account", target.active],
    ["Secret", join(`${secret.name} in vault ${secret.vault}`, versionOf(target.published))],
    [
      "Paused",
      pause &&
        join(`until ${time(pause.until) ?? ""}`, `by ${pause.by}`, pause.reason, pause.ticket),
    ],
    ["Policy", `${target.policy} (${target.policyWhy})`],
    ["Next due", time(target.nextDue)],
    ["Because", target.dueReason],
    ["Rotation", rotation && join(rotation.id, rotation.phase, rotation.account, rotation.cause)],
    ["Delayed by", rotation?.heldBy],
    ["Next try", time(rotation?.nextAttemptAt)],
    ["Queued", target.queuedRotation],
    ["Waits until", time(target.queuedUntil)],
    ["Waits for", target.queuedWhy],
    [
      "Scheduled",
      join(
        ...(target.scheduled ?? []).map(
          (one) => `${one.rotation} for ${time(one.notBefore) ?? ""} by ${one.requestedBy}`,
        ),
      ),
    ],
    ["Retires", retirement && join(retirement.account, time(retirement.at), retirement.waitsFor)],
    ["Adopted", time(target.adoptedAt)],
    ["Last change", time(target.changedAt)],
    ["Last success", time(target.lastSuccessAt)],
    ["Value due", describeDue(target.valueDue)],
    ["Secret ends", time(target.secretEndsAt)],
    ["Last use", join(time(target.lastUsedAt), target.lastUsedBy)],
    ["Exposed", exposure && join(time(exposure.at), `by ${exposure.by}`, exposure.from)],
    ["Last failure", lastFailure && join(time(lastFailure.at), lastFailure.kind)],
    ["Failed because", lastFailure?.message],
    ["Tags", join(...Object.entries(tags).map(([name, value]) => `${name}:${value}`))],
  ]);
}
