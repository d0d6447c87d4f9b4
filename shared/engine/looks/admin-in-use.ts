import { isClaimed } from "../../core/lifecycle/decide.ts";
import type { Rotation } from "../../core/record/record.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, plus, second, toInstant } from "../../core/time.ts";
import { UnreadableRowError } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";

/** Milliseconds for which the rotation of an admin credential waits while another target is being changed with it. */
const adminInUseDelay = 30 * second;

/** Phases in which a rotation uses the credential. */
const changing: readonly Rotation["phase"][] = ["staging", "applying", "publishing", "checking"];

/**
 * Returns the id of a target that is being changed with this target's credential now, if there is one: rotating the credential would
 * make that change fail. A target that only waits for its next try does not count, because it reads the credential again.
 */
export async function findAdminUser(
  { journal, targetsUsing }: Pick<Ports, "journal" | "targetsUsing">,
  { publish }: Target,
): Promise<string | undefined> {
  for (const user of targetsUsing(publish)) if (await isChanging(journal, user)) return user.id;
  return undefined;
}

/** Also true when the row cannot be read: a newer version of Keyturn may be changing the target. */
async function isChanging(journal: Ports["journal"], user: Target): Promise<boolean> {
  try {
    const record = (await journal.read(user.id))?.record;
    const phase = record?.rotation?.phase;
    // The journal may be one phase behind the worker.
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
  const why = `waits for target ${user}: its change uses this credential as admin`;
  return { until: plus(now, adminInUseDelay), why };
}
