import { z } from "zod";

/** A CloudEvent of Keyturn, without any other fields. */
export const cloudEventShape = z
  .strictObject({
    specversion: z.literal("1.0"),
    id: z.string(),
    type: z.string().regex(/^Keyturn[.]/),
    source: z.literal("/keyturn"),
    subject: z.string(),
    time: z.string(),
    datacontenttype: z.literal("application/json"),
    data: z.record(z.string(), z.unknown()),
  })
  .transform(({ id, subject, time, data }) => ({ id, targetId: subject, at: time, data }));
