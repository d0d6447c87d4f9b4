import { toEvent } from "../core/events.ts";
import { toInstant } from "../core/time.ts";
import { type Unreadable, UnreadableRowError } from "../stores/journal.ts";
import { raiseAlarm } from "./alarm.ts";
import type { ReportBreach } from "./breach/wake-breaches.ts";
import type { Ports } from "./ports.ts";
import type { Leftovers } from "./scheduling/register.ts";

/** Remembers which targets have unreadable rows, and reports them. */
export async function noteLeftovers(
  ports: Ports,
  leftovers: Leftovers | undefined,
  { leftAlone, reported }: { readonly leftAlone: Set<string>; readonly reported: Set<string> },
): Promise<void> {
  if (!leftovers) return;
  leftAlone.clear();
  for (const { id } of leftovers.unreadable) leftAlone.add(id);
  await reportLeftovers(ports, leftovers, reported);
}

/** Reports each leftover once in the life of a process. */
async function reportLeftovers(
  ports: Ports,
  { unreadable, abandoned }: Leftovers,
  reported: Set<string>,
): Promise<void> {
  for (const one of unreadable) await reportTarget(ports, one, reported);
  for (const id of abandoned) {
    const text = `Target ${id} was removed from the configuration during a rotation. Add it again to finish the rotation.`;
    if (reported.has(text)) continue;
    await raiseAlarm(ports, "gave-up", text, { targetId: id });
    reported.add(text);
  }
}

export function reportTarget(
  ports: Ports,
  { id, ...row }: Unreadable,
  reported: Set<string>,
): Promise<void> {
  return reportUnreadable(ports, { ...row, what: "target", targetId: id }, reported);
}

export function makeBreachReport(ports: Ports, reported: Set<string>): ReportBreach {
  return async (breachId, error) => {
    if (error instanceof UnreadableRowError) {
      const { message, isNewer } = error;
      await reportUnreadable(ports, { what: "breach", why: message, isNewer }, reported);
      return;
    }
    const at = toInstant(ports.journal.now());
    const detail = `breach ${breachId}: ${error.message}`;
    ports.emit(toEvent({ type: "journal-unavailable", at, detail }));
  };
}

interface UnreadableRow extends Omit<Unreadable, "id"> {
  readonly what: "target" | "breach";
  readonly targetId?: string;
}

/**
 * Reports the row once in the life of a process. Every rolling deployment may have rows of a newer Keyturn, so they cause a warning
 * and not an alarm. A damaged row needs a person.
 */
async function reportUnreadable(
  ports: Ports,
  { what, why, isNewer, ...about }: UnreadableRow,
  reported: Set<string>,
): Promise<void> {
  if (reported.has(why)) return;
  const text = `${why} Keyturn does not process the ${what} until this is fixed.`;
  if (isNewer) {
    const at = toInstant(ports.journal.now());
    ports.emit(toEvent({ type: "left-alone", at, ...about, detail: text }));
  } else await raiseAlarm(ports, "journal-unavailable", text, about);
  reported.add(why);
}
