import { isTargetId } from "../core/target.ts";
import type { WorkMessage } from "./queue.ts";

/** Undefined if the message is not from Keyturn. Fields of a newer version are ignored. */
export function parseWorkMessage(input: unknown): WorkMessage | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const targetId: unknown = Reflect.get(input, "targetId");
  const breachId: unknown = Reflect.get(input, "breachId");
  const because: unknown = Reflect.get(input, "because");
  if (typeof because !== "string") return undefined;
  if (typeof targetId === "string" && breachId === undefined) {
    return isTargetId(targetId) ? { targetId, because } : undefined;
  }
  if (typeof breachId !== "string" || targetId !== undefined) return undefined;
  return /^[\w-]{1,64}$/.test(breachId) ? { breachId, because } : undefined;
}

/** The message with the fields that belong into a queue, and no others. */
export function pickWorkMessage({ targetId, breachId, because }: WorkMessage): WorkMessage {
  return breachId === undefined ? { targetId, because } : { breachId, because };
}
