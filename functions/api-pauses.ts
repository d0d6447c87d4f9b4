import type { PauseInput, Selection } from "../shared/app.ts";
import type { Call } from "./http/endpoint.ts";
import { noSuchTargets, requireTarget } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";
import { toFilter } from "./http/target-filter.ts";
import type { pauseTargets, resumeTargets } from "./schemas/pauses.ts";

const schemas = () => import("./schemas/pauses.ts");

serve(
  "api-pause",
  async () => (await schemas()).pauseTarget,
  async (call) => {
    const { target } = call.params;
    const found = await call.operations.pause(target, toPause(call), call.key);
    return reply(200, { target, ...requireTarget(found, target) });
  },
);

serve(
  "api-resume",
  async () => (await schemas()).resumeTarget,
  async ({ params, operations, origin, key }) => {
    const { target } = params;
    const found = await operations.resume(target, origin, key);
    return reply(200, { target, ...requireTarget(found, target) });
  },
);

serve(
  "api-pauses",
  async () => (await schemas()).pauseTargets,
  async (call) => {
    const { key, operations } = call;
    const result = await operations.pauseAll(toSelection(call.body), toPause(call), key);
    if ("unknown" in result) throw noSuchTargets(result.unknown);
    return reply(200, { paused: result.written, notWritten: result.notWritten });
  },
);

serve(
  "api-resumes",
  async () => (await schemas()).resumeTargets,
  async ({ body, operations, origin, key }) => {
    const result = await operations.resumeAll(toSelection(body), origin, key);
    if ("unknown" in result) throw noSuchTargets(result.unknown);
    return reply(200, {
      resumed: result.written.filter(({ resumed }) => resumed),
      notPaused: result.written.filter(({ resumed }) => !resumed),
      notWritten: result.notWritten,
    });
  },
);

interface Pausing extends Pick<Call<typeof pauseTargets>, "origin"> {
  readonly body: { readonly reason: string; readonly until: string };
}

function toPause({ body: { reason, until }, origin }: Pausing): PauseInput {
  return { ...origin, reason, until };
}

function toSelection(body: Call<typeof resumeTargets>["body"]): Selection {
  const { targets, reason: _r, ticket: _t, ...filters } = body;
  return targets ? { targets } : { filter: toFilter(filters) };
}
