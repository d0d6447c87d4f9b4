import { z } from "zod";
import { type ArmAnswer, armErrors, passwordRefusal, Refused } from "./errors.ts";
import type { Fate, Operation } from "./operations.ts";
import { type ArmRequest, type ArmState, findServer, type Place, type SqlServer } from "./state.ts";

const patchBody = z.looseObject({
  properties: z.looseObject({ administratorLoginPassword: z.string().optional() }).optional(),
});

/** Accepts a change, and starts an operation that continues by itself. */
export async function changePassword(
  state: ArmState,
  request: ArmRequest,
  place: Place,
): Promise<ArmAnswer> {
  const server = findServer(state, place);
  const parsed = patchBody.safeParse(parseJson(request.body));
  if (!parsed.success) throw new Refused(armErrors.unreadable);
  const password = parsed.data.properties?.administratorLoginPassword;
  if (password !== undefined) {
    if (server.entraOnly === true) throw new Refused(armErrors.entraOnly);
    const refusal = passwordRefusal(password, server.administratorLogin);
    if (refusal) throw new Refused(refusal);
  }
  if (state.operations.isBusy(server.name)) throw new Refused(armErrors.busy(server.name));
  const operation = await begin(state, server, password);
  const base = `${request.url.origin}/subscriptions/${state.subscriptionId}/providers/Microsoft.Sql/locations/westeurope`;
  const link = (kind: string) => `${base}/${kind}/${operation.id}?api-version=2022-08-01-preview`;
  return {
    status: 202,
    headers: {
      "azure-asyncoperation": link("serverAzureAsyncOperation"),
      location: link("serverOperationResults"),
      "retry-after": String(state.retryAfter),
    },
    body: { operation: "UpsertLogicalServer", startTime: operation.startTime },
  };
}

async function begin(
  state: ArmState,
  server: SqlServer,
  password: string | undefined,
): Promise<Operation> {
  const land = () => {
    if (password === undefined) return;
    server.setPassword?.(server.administratorLogin, password);
    state.landed.set(server.name, (state.landed.get(server.name) ?? 0) + 1);
  };
  const outcome = await state.faults.perform<Fate>(
    "operation",
    () => ({ ends: "succeeded", land }),
    (refusal) => ({ ends: "failed", error: { ...armErrors.internal, ...refusal } }),
  );
  const fate: Fate = outcome.kind === "answer" ? outcome.answer : { ends: "never" };
  if (fate.ends !== "succeeded" || state.effectAt === "completion") {
    return state.operations.begin(server.name, state.ticks, fate);
  }
  fate.land();
  return state.operations.begin(server.name, state.ticks, { ...fate, land: () => undefined });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
