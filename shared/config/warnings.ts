import { z } from "zod";
import type { TargetDraft } from "./drafts.ts";
import type { Problem } from "./problems.ts";

/** How every rotator that speaks TLS writes that it must not be used. */
const withoutTls = z.looseObject({ tls: z.looseObject({ mode: z.literal("disable") }) });

/** What is allowed and worth a second look. */
export function findWarnings(drafts: readonly TargetDraft[]): Problem[] {
  const open = drafts.filter(({ options }) => withoutTls.safeParse(options).success);
  return open.map(({ entry }) =>
    entry.source.locate({
      path: [...entry.path, "options", "tls", "mode"],
      message:
        "TLS is off: passwords cross the network in the clear, and anybody can pose as the server",
    }),
  );
}
