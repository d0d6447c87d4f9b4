import { type ArmAnswer, armErrors } from "./errors.ts";
import type { Fate, Operation } from "./operations.ts";
import type { ArmCall } from "./state.ts";

export interface Work {
  /** Makes the change. */
  readonly land: () => Promise<void>;
  /** The body that the result will have. */
  readonly show: () => object;
}

/** Accepts a change with 202. It is made when the options of the double say so. */
export async function accept(call: ArmCall, work: Work): Promise<ArmAnswer> {
  const { state, request, service, resource } = call;
  const operation = await begin(call, work);
  const [provider = ""] = service.type.split("/");
  const base = `${request.url.origin}/subscriptions/${state.subscriptionId}/providers/${provider}/locations/westeurope`;
  const version = request.url.searchParams.get("api-version") ?? "";
  const isTold = state.headers === "both" && service.operations.onlyLocation !== true;
  const link = (kind: string) => `${base}/${kind}/${operation.id}?api-version=${version}`;
  return {
    status: 202,
    headers: {
      ...(isTold && {
        "azure-asyncoperation": link(service.operations.status),
      }),
      location: link(service.operations.result),
      "retry-after": String(state.retryAfter),
    },
    body: { operation: `Change of ${resource.name}`, startTime: operation.startTime },
  };
}

async function begin(call: ArmCall, { land, show }: Work): Promise<Operation> {
  const { state, resource } = call;
  const outcome = await state.faults.perform<Fate>(
    "operation",
    () => ({ ends: "succeeded", land }),
    (refusal) => ({ ends: "failed", error: { ...armErrors.internal, ...refusal } }),
  );
  const fate: Fate = outcome.kind === "answer" ? outcome.answer : { ends: "never" };
  if (fate.ends !== "succeeded" || state.effectAt === "completion") {
    return state.operations.begin(resource.name, state.ticks, fate, show);
  }
  await fate.land();
  const nothing = { ...fate, land: () => Promise.resolve() };
  return state.operations.begin(resource.name, state.ticks, nothing, show);
}
