import { z } from "zod";

/** An event in the app's log. `type` is any string, so that this reader accepts event types it does not know. */
const eventShape = z.object({
  type: z.string(),
  severity: z.enum(["information", "warning", "error"]),
  at: z.string(),
  targetId: z.string().optional(),
  rotationId: z.string().optional(),
  account: z.string().optional(),
  reason: z.string().optional(),
  phase: z.string().optional(),
  version: z.object({ version: z.string() }).optional(),
  /** Milliseconds. */
  duration: z.number().optional(),
  failure: z.object({ kind: z.string(), message: z.string() }).optional(),
  nextAttemptAt: z.string().optional(),
  detail: z.string().optional(),
});

export type KeyturnEvent = z.output<typeof eventShape>;

const recordShape = z.object({ category: z.literal("user"), message: z.string() });
const messageShape = z.object({ keyturn: eventShape });

/** Returns the event in a record of the host's log, or undefined when the record has none. */
export function readEvent(record: unknown): KeyturnEvent | undefined {
  const parsed = recordShape.safeParse(record);
  if (!parsed.success || !parsed.data.message.startsWith("{")) return undefined;
  try {
    return messageShape.safeParse(JSON.parse(parsed.data.message)).data?.keyturn;
  } catch {
    return undefined;
  }
}
