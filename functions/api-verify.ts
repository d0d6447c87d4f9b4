import { ProblemError, requireTarget } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";

/** Seconds. A worker that holds a target is usually done within that time. */
const retryAfter = "5";

serve(
  "api-verify",
  async () => (await import("./schemas/verify.ts")).verify,
  async ({ params: { target }, operations }) => {
    const found = requireTarget(await operations.verify(target), target);
    if ("busy" in found) {
      throw new ProblemError("busy", found.busy, { headers: { "retry-after": retryAfter } });
    }
    return reply(200, { target, ...found });
  },
);
