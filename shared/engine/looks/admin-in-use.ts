import { isClaimed } from "../../core/lifecycle/decide.ts";
import type { Rotation } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, plus, second, toInstant } from "../../core/time.ts";
import { UnreadableRowError } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";

/** Milliseconds an admin credential waits while another target is being changed with it. */
const adminInUseDelay = 30 * second;

/** Phases in which the credential is used. */
const changing: readonly Rotation["phase"][] = ["staging", "applying", "publishing", "checking"];

/**
 * The id of the target that is being changed with this one's credential at this moment, if any: changing it now would
 * pull the ladder away. One that only waits for its next try reads the credential anew.
 */
export async function userOfAdmin(
  { journal, targetsUsing }: Pick<Ports, "journal" | "targetsUsing">,
  { publish }: Target,
): Promise<string | undefined> {
  for (const user of targetsUsing(publish)) if (await isChanging(journal, user)) return user.id;
  return undefined;
}

/** True as well when the row cannot be read: a newer version of Keyturn may be in the middle of a change. */
async function isChanging(journal: Ports["journal"], user: Target): Promise<boolean> {
  try {
    const record = (await journal.read(user.id))?.record;
    const phase = record?.rotation?.phase;
    // The journal may be a phase behind the worker.
    const mayChange = phase !== undefined && changing.includes(phase);
    return record !== undefined && mayChange && isClaimed(record, toInstant(journal.now()));
  } catch (error) {
    if (error instanceof UnreadableRowError) return true;
    throw error;
  }
}

export function waitForUser(
  user: string,
  now: Instant,
): { readonly until: Instant; readonly why: string } {
  const why = `waits until ${user} is done with this credential`;
  return { until: plus(now, adminInUseDelay), why };
}
