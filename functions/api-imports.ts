import { type GivenInput, type GivenResult, Secret } from "../shared/app.ts";
import type { Call } from "./http/endpoint.ts";
import { rejectUnlessDone, requireTarget } from "./http/problem.ts";
import { replyRequested } from "./http/requested.ts";
import { reply, serve } from "./http/serve.ts";
import { withoutUndefined } from "./http/without-undefined.ts";
import type { importSecret } from "./schemas/imports.ts";
import type { undo } from "./schemas/undos.ts";

serve(
  "api-import",
  async () => (await import("./schemas/imports.ts")).importSecret,
  async (call) => {
    const { params, body, operations } = call;
    const { value, account, apply } = body;
    const imported = {
      ...toInput(call),
      ...withoutUndefined({ account }),
      value: new Secret(value),
      mayApply: apply === "if-needed",
    };
    const found = await operations.importSecret(params.target, imported);
    return answer(params.target, requireTarget(found, params.target));
  },
);

serve(
  "api-undo",
  async () => (await import("./schemas/undos.ts")).undo,
  async (call) => {
    const { target } = call.params;
    const found = await call.operations.undo(target, toInput(call));
    return answer(target, requireTarget(found, target));
  },
);

serve(
  "api-unblock",
  async () => (await import("./schemas/undos.ts")).unblock,
  async ({ params: { target }, body: { version }, operations, origin, key }) => {
    const input = { ...origin, ...withoutUndefined({ version, key }) };
    const found = requireTarget(await operations.unblock(target, input), target);
    rejectUnlessDone(found);
    const { why, rotationId, account } = found;
    return reply(200, { target, why, ...withoutUndefined({ rotation: rotationId, account }) });
  },
);

function toInput(
  call: Pick<Call<typeof importSecret | typeof undo>, "body" | "key" | "origin">,
): GivenInput {
  const { liftFreeze, force } = call.body;
  const { by, ...justification } = call.origin;
  const { key } = call;
  return { requestedBy: by, justification, ...withoutUndefined({ liftFreeze, force, key }) };
}

function answer(target: string, result: GivenResult) {
  rejectUnlessDone(result);
  return replyRequested(target, result);
}
