import type { Outcome } from "../faults.ts";
import { changePassword } from "./change-password.ts";
import type { ArmAction } from "./credentials.ts";
import { type ArmAnswer, armErrors, type ArmRefusal, errorAnswer, Refused } from "./errors.ts";
import type { Operation } from "./operations.ts";
import {
  type ArmEffect,
  type ArmRequest,
  type ArmState,
  described,
  findServer,
  type Place,
} from "./state.ts";

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly effect: ArmEffect;
  readonly action: ArmAction;
  run(state: ArmState, request: ArmRequest, place: Place): ArmAnswer | Promise<ArmAnswer>;
}

const servers =
  "/subscriptions/(?<subscription>[^/]+)/resourceGroups/(?<group>[^/]+)/providers/Microsoft.Sql/servers/(?<name>[^/]+)";
const locations =
  "/subscriptions/(?<subscription>[^/]+)/providers/Microsoft.Sql/locations/(?<group>[^/]+)";

const routes: readonly Route[] = [
  {
    method: "GET",
    path: new RegExp(`^${servers}$`, "i"),
    effect: "get",
    action: "Microsoft.Sql/servers/read",
    run: (state, _, place) => ({ status: 200, body: described(state, findServer(state, place)) }),
  },
  {
    method: "PATCH",
    path: new RegExp(`^${servers}$`, "i"),
    effect: "patch",
    action: "Microsoft.Sql/servers/write",
    run: changePassword,
  },
  {
    method: "GET",
    path: new RegExp(`^${servers}/azureADOnlyAuthentications/Default$`, "i"),
    effect: "entraOnly",
    action: "Microsoft.Sql/servers/azureADOnlyAuthentications/read",
    run: entraOnly,
  },
  {
    method: "GET",
    path: new RegExp(`^${servers}/providers/Microsoft.Authorization/permissions$`, "i"),
    effect: "permissions",
    action: "Microsoft.Authorization/permissions/read",
    run: ({ gate, permissions }, { authorization }) => ({
      status: 200,
      body: {
        value: permissions ?? [{ actions: gate.grantedTo(authorization), notActions: [] }],
      },
    }),
  },
  {
    method: "GET",
    path: new RegExp(`^${locations}/serverAzureAsyncOperation/(?<name>[^/]+)$`, "i"),
    effect: "poll",
    action: "Microsoft.Sql/locations/serverAzureAsyncOperation/read",
    run: operationStatus,
  },
  {
    method: "GET",
    path: new RegExp(`^${locations}/serverOperationResults/(?<name>[^/]+)$`, "i"),
    effect: "poll",
    action: "Microsoft.Sql/locations/serverAzureAsyncOperation/read",
    run: operationResult,
  },
];

/** Answers one request, as the armed faults allow. */
export async function answerRequest(
  state: ArmState,
  request: ArmRequest,
): Promise<Outcome<ArmAnswer>> {
  const { pathname, searchParams } = request.url;
  const route = routes.find((one) => one.method === request.method && one.path.test(pathname));
  const { subscription = "", group = "", name = "" } = route?.path.exec(pathname)?.groups ?? {};
  if (route === undefined) {
    const refusal = armErrors.noSuchResource(pathname, "unknown");
    return { kind: "answer", answer: errorAnswer(refusal) };
  }
  const run = async (): Promise<ArmAnswer> => {
    try {
      const scope = decodeURI(pathname);
      state.gate.demand(request.authorization, route.action, scope);
      if (!searchParams.has("api-version")) throw new Refused(armErrors.noApiVersion);
      return await route.run(state, request, { scope, subscription, group, name });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return errorAnswer(spiteful(state, request, error.refusal));
    }
  };
  return state.faults.perform(route.effect, run, (refusal) =>
    errorAnswer(spiteful(state, request, { ...armErrors.internal, ...refusal })),
  );
}

/** A hostile platform repeats the request, including the password. */
function spiteful(state: ArmState, request: ArmRequest, refusal: ArmRefusal): ArmRefusal {
  if (!state.faults.hostile || request.body === "") return refusal;
  return { ...refusal, message: `${refusal.message} (${request.body})` };
}

function entraOnly(state: ArmState, _: ArmRequest, place: Place): ArmAnswer {
  const server = findServer(state, place);
  return {
    status: 200,
    body: {
      id: place.scope,
      name: "Default",
      type: "Microsoft.Sql/servers/azureADOnlyAuthentications",
      properties: { azureADOnlyAuthentication: server.entraOnly === true },
    },
  };
}

function findOperation(state: ArmState, place: Place): { server: string; operation: Operation } {
  const found = state.operations.find(place.name);
  if (found === undefined) throw new Refused(armErrors.noSuchResource(place.scope, "unknown"));
  state.operations.tick(found.server);
  return found;
}

function operationStatus(state: ArmState, _: ArmRequest, place: Place): ArmAnswer {
  const { operation } = findOperation(state, place);
  const { id, startTime, status, error } = operation;
  const body = { name: id, status, startTime };
  if (error !== undefined) {
    return { status: 200, body: { ...body, error: { code: error.code, message: error.message } } };
  }
  const waiting = status === "InProgress" ? { "retry-after": String(state.retryAfter) } : {};
  return { status: 200, headers: waiting, body };
}

function operationResult(state: ArmState, _: ArmRequest, place: Place): ArmAnswer {
  const { operation, server } = findOperation(state, place);
  if (operation.status === "InProgress") {
    return { status: 202, headers: { "retry-after": String(state.retryAfter) } };
  }
  if (operation.error !== undefined) throw new Refused(operation.error);
  const known = state.servers.find(({ name }) => name === server);
  return known === undefined ? { status: 204 } : { status: 200, body: described(state, known) };
}
