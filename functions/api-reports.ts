import { requireTarget } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";
import { withoutUndefined } from "./http/without-undefined.ts";

const schemas = () => import("./schemas/reports.ts");

serve(
  "api-exposures",
  async () => (await schemas()).reportExposure,
  async (call) => {
    const { target } = call.params;
    const { reason: _r, ticket: _t, ...seen } = call.body;
    const exposure = { ...withoutUndefined(seen), justification: call.origin, origin: call.origin };
    const found = await call.operations.expose(target, exposure, call.key);
    const { rotationId, ...rest } = requireTarget(found, target);
    const rotation = rotationId === undefined ? {} : { rotation: rotationId };
    return reply(202, { target, ...rest, ...rotation });
  },
);

serve(
  "api-uses",
  async () => (await schemas()).reportUse,
  async ({ params, body, operations, origin, key }) => {
    const used = { ...withoutUndefined(body), origin };
    const found = await operations.recordUse(params.target, used, key);
    return reply(202, { target: params.target, ...requireTarget(found, params.target) });
  },
);
