import type { FreezeInput } from "../shared/app.ts";
import type { Call } from "./http/endpoint.ts";
import { ProblemError } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";
import { toTags } from "./http/target-filter.ts";
import { withoutUndefined } from "./http/without-undefined.ts";
import type { createFreeze } from "./schemas/freezes.ts";

const schemas = () => import("./schemas/freezes.ts");

serve(
  "api-freeze",
  async () => (await schemas()).createFreeze,
  async ({ body, operations, origin, key }) => {
    const { reason, from, until, lift } = body;
    const selection = toSelection(body);
    const input = withoutUndefined({ ...origin, reason, from, until, lift, selection });
    return reply(201, await operations.freeze(input, key));
  },
);

serve(
  "api-freezes",
  async () => (await schemas()).listFreezes,
  async ({ operations }) => reply(200, { freezes: await operations.freezes() }),
);

serve(
  "api-freeze-end",
  async () => (await schemas()).endFreeze,
  async ({ params, operations, origin, key }) => {
    const ended = await operations.endFreeze(params.freeze, origin, key);
    if (ended) return reply(200, ended);
    throw new ProblemError("freeze-not-found", `Freeze ${params.freeze} does not exist.`);
  },
);

function toSelection(body: Call<typeof createFreeze>["body"]): FreezeInput["selection"] {
  const { targets, policy, type, vault } = body;
  const tags = toTags(body);
  const given = withoutUndefined({ targets, policy, type, vault });
  return { ...given, ...(tags.length > 0 && { tags }) };
}
