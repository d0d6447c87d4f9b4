import { createHash } from "node:crypto";
import type { HistoryRotation } from "../../shared/app.ts";
import type { StreamedEvent } from "./event-stream.ts";
import { invalid } from "./problem.ts";

/**
 * An event contains the whole rotation, so a client that missed some has lost nothing. Its id is that of the rotation with a hash of
 * its content: no server must remember which client has which event.
 */
export function toRotationEvent(rotation: HistoryRotation): StreamedEvent {
  const text = JSON.stringify(rotation);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const name = hasEnded(rotation) ? "end" : "progress";
  return { id: `${rotation.rotationId}.${hash}`, name, data: rotation };
}

export function isEnd({ name }: StreamedEvent): boolean {
  return name === "end";
}

function hasEnded({ state }: HistoryRotation): boolean {
  return state !== "queued" && state !== "running";
}

/** Throws ProblemError if the id belongs to another rotation. A hash that no event had is like that of an older event. */
export function checkLastEventId(id: string, rotationId: string): void {
  if (id.startsWith(`${rotationId}.`)) return;
  throw invalid(
    "`Last-Event-ID` belongs to another rotation. Leave it out to start with the present state.",
  );
}
