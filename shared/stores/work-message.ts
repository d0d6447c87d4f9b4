import { isTargetId } from "../core/target.ts";
import type { WorkMessage } from "./queue.ts";

/** Undefined if the message is not from Keyturn. Fields of a newer version are ignored. */
export function parseWorkMessage(input: unknown): WorkMessage | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const targetId: unknown = Reflect.get(input, "targetId");
  const because: unknown = Reflect.get(input, "because");
  if (typeof targetId !== "string" || typeof because !== "string") return undefined;
  return isTargetId(targetId) ? { targetId, because } : undefined;
}
