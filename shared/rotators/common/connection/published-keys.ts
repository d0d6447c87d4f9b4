import { z } from "zod";

/** What consumers need to connect, by the keys of the published JSON. The credential itself has keys of its own. */
export const publishedKeys = z
  .record(
    z
      .string()
      .regex(
        /^(?!username$|password$)[A-Za-z][\w-]{0,63}$/i,
        "must be a key other than username and password",
      ),
    z.string().max(1000),
  )
  .default({});
