import { isTargetId } from "../core/target.ts";
import type { WorkMessage } from "./queue.ts";

/** Undefined for what nobody here sent. Fields of a newer version are left out. */
export function parseWorkMessage(input: unknown): WorkMessage | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const targetId: unknown = Reflect.get(input, "targetId");
  const because: unknown = Reflect.get(input, "because");
  if (typeof targetId !== "string" || typeof because !== "string") return undefined;
  return isTargetId(targetId) ? { targetId, because } : undefined;
}
