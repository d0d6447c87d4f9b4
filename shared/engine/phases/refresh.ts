import { deadlines } from "../../core/deadlines.ts";
import type { VersionRef } from "../../core/target.ts";
import type { TargetSession } from "../session.ts";

/** Refreshes every consumer, even if some fail. Returns the error messages. */
export async function refreshConsumers(
  session: TargetSession,
  rotationId: string,
  published: VersionRef,
): Promise<string[]> {
  const { ports, target } = session;
  const problems: string[] = [];
  if (target.consumers.length > 0) await session.flush();
  for (const name of target.consumers) {
    const refresh = { targetId: target.id, rotationId, published };
    await session.hold();
    try {
      await ports.consumer(name).refresh(refresh, ports.deadline(deadlines.refresh));
    } catch (error) {
      problems.push(error instanceof Error ? error.message : name);
    }
  }
  return problems;
}
