import { z } from "zod";
import { isTargetId } from "../core/target.ts";
import type { WorkMessage } from "./queue.ts";

const workMessage = z.object({ targetId: z.string().refine(isTargetId), because: z.string() });

/** Undefined for what nobody here sent. Fields of a newer version are left out. */
export function parseWorkMessage(input: unknown): WorkMessage | undefined {
  return workMessage.safeParse(input).data;
}
