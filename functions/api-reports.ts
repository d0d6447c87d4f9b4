import { noSuchTarget } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";
import { withoutUndefined } from "./http/without-undefined.ts";

const schemas = () => import("./schemas/reports.ts");

serve(
  "api-exposures",
  async () => (await schemas()).reportExposure,
  async (call) => {
    const { target } = call.params;
    const outcome = await call.operations.expose(target, withoutUndefined(call.body));
    if (!outcome) throw noSuchTarget(target);
    const { rotationId, ...rest } = outcome;
    const rotation = rotationId === undefined ? {} : { rotation: rotationId };
    return reply(202, { target, ...rest, ...rotation });
  },
);

serve(
  "api-uses",
  async () => (await schemas()).reportUse,
  async ({ params, body, operations }) => {
    const known = await operations.recordUse(params.target, withoutUndefined(body));
    if (!known) throw noSuchTarget(params.target);
    return reply(202, { target: params.target, ...known });
  },
);
