import { readCursor, refusedCursor, writeCursor } from "./http/cursor.ts";
import { nextPage } from "./http/pages.ts";
import { ProblemError, requireTarget } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";
import { toFilter } from "./http/target-filter.ts";
import { withoutUndefined } from "./http/without-undefined.ts";

const schemas = () => import("./schemas/targets.ts");
const dryRuns = () => import("./schemas/dry-runs.ts");
const explanations = () => import("./schemas/explanations.ts");

serve(
  "api-targets",
  async () => (await schemas()).listTargets,
  async ({ query, operations, request }) => {
    const { limit, cursor, ...filters } = query;
    const [after] = readCursor("targets", cursor) ?? [];
    const wanted = withoutUndefined({ limit, after, filter: toFilter(filters) });
    const found = await operations.targets(wanted);
    // The last target of the previous page is no longer in the configuration.
    if (!found) throw refusedCursor();
    const last = found.hasMore ? found.items.at(-1) : undefined;
    const next = nextPage("/api/targets", request.query, last && writeCursor("targets", [last.id]));
    return reply(200, { targets: found.items, ...next });
  },
);

serve(
  "api-target",
  async () => (await schemas()).getTarget,
  async ({ params, operations }) => {
    const found = await operations.target(params.target);
    return reply(200, requireTarget(found, params.target));
  },
);

serve(
  "api-explanation",
  async () => (await explanations()).explainTarget,
  async ({ params, operations }) => {
    const found = await operations.explanation(params.target);
    return reply(200, requireTarget(found, params.target));
  },
);

serve(
  "api-dry-run",
  async () => (await dryRuns()).dryRun,
  async ({ params, operations }) => {
    const outcome = requireTarget(await operations.dryRun(params.target), params.target);
    if ("done" in outcome) return reply(200, outcome.done);
    const { why, retryAfter } = outcome.conflict;
    const headers = { "retry-after": String(Math.ceil(retryAfter / 1_000)) };
    throw new ProblemError("busy", why, { headers });
  },
);
