import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { TargetUnavailableError } from "../../core/errors.ts";
import { second } from "../../core/time.ts";
import type { Session } from "./mongodb-session.ts";

/** Milliseconds. */
const patience = 3 * second;
const pause = 50;

/** The time of an operation: seconds, and a counter within the second. */
const time = z.object({ t: z.number(), i: z.number() });
type Time = z.output<typeof time>;
const helloReply = z.object({
  lastWrite: z.object({
    opTime: z.object({ ts: time }),
    majorityOpTime: z.object({ ts: time }),
  }),
});

/**
 * Waits until a majority of the replica set has everything that the primary has now. A log-in at the primary alone may depend on a
 * change that the next election undoes. Throws TargetUnavailableError. Servers that are not members of a replica set do not wait.
 */
export async function waitForMajority(session: Session, where: string): Promise<void> {
  const start = performance.now();
  let wanted: Time | undefined;
  for (;;) {
    const { lastWrite } = helloReply.safeParse(await session.run("admin", { hello: 1 })).data ?? {};
    if (lastWrite === undefined) return;
    wanted ??= lastWrite.opTime.ts;
    if (!isBefore(lastWrite.majorityOpTime.ts, wanted)) return;
    if (performance.now() - start > patience) break;
    await wait(pause);
  }
  throw new TargetUnavailableError(
    `${where}: the primary accepts the log-in, but a majority of the replica set does not have its latest changes, so an ` +
      "election may undo a change of the password. Check the members with rs.status()",
  );
}

function isBefore(one: Time, other: Time): boolean {
  return one.t < other.t || (one.t === other.t && one.i < other.i);
}
