import type { Outcome } from "../../faults.ts";
import { type ArmAnswer, armErrors, type ArmRefusal, errorAnswer, Refused } from "./errors.ts";
import type { Operation } from "./operations.ts";
import { services } from "./services.ts";
import {
  type ArmEffect,
  type ArmRequest,
  type ArmService,
  type ArmState,
  findResource,
  type Place,
  toId,
} from "./state.ts";

/** A request that one of the routes answers. */
interface Routed {
  readonly effect: ArmEffect;
  readonly action: string;
  readonly apiVersion: string;
  run(): ArmAnswer | Promise<ArmAnswer>;
}

const permissionsPath = "/providers/Microsoft.Authorization/permissions";
const permissionsAction = "Microsoft.Authorization/permissions/read";

/** The right to read how an operation of the service goes. */
const toPollAction = ({ type, operations }: ArmService) =>
  `${type.split("/")[0] ?? ""}/locations/${operations.status}/read`;

/** Everything that the routes of a service demand. */
export function listActions(name: keyof typeof services): readonly string[] {
  const service = services[name];
  const own = service.routes.map(({ action }) => action);
  return [...new Set([permissionsAction, ...own, toPollAction(service)])];
}

export const listAllActions = (): readonly string[] => [
  ...new Set(Object.keys(services).flatMap((name) => listActions(name as keyof typeof services))),
];

/** Answers one request, as the armed faults allow. */
export async function answerRequest(
  state: ArmState,
  request: ArmRequest,
): Promise<Outcome<ArmAnswer>> {
  const { pathname, searchParams } = request.url;
  const routed = findRoute(state, request);
  if (routed === undefined) {
    const refusal = armErrors.noSuchResource(pathname, "unknown");
    return { kind: "answer", answer: errorAnswer(refusal) };
  }
  const run = async (): Promise<ArmAnswer> => {
    try {
      state.gate.demand(request.authorization, routed.action, decodeURI(pathname));
      const version = searchParams.get("api-version");
      if (version === null) throw new Refused(armErrors.noApiVersion);
      if (version !== routed.apiVersion) {
        throw new Refused(armErrors.unknownApiVersion(version));
      }
      return await routed.run();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return errorAnswer(spiteful(state, request, error.refusal));
    }
  };
  return state.faults.perform(routed.effect, run, (refusal) =>
    errorAnswer(spiteful(state, request, { ...armErrors.internal, ...refusal })),
  );
}

function findRoute(state: ArmState, request: ArmRequest): Routed | undefined {
  for (const [name, service] of Object.entries<ArmService>(services)) {
    const found =
      findResourceRoute(state, request, name, service) ?? findPollRoute(state, request, service);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findResourceRoute(
  state: ArmState,
  request: ArmRequest,
  serviceName: string,
  service: ArmService,
): Routed | undefined {
  const [provider = "", ...types] = service.type.split("/");
  const parts = types.map((type) => `/${type}/[^/]+`).join("");
  const prefix = `^/subscriptions/(?<subscription>[^/]+)/resourceGroups/(?<group>[^/]+)/providers/${provider}(?<parts>${parts})`;
  const match = new RegExp(`${prefix}(?<path>/.*)?$`, "i").exec(request.url.pathname);
  const { subscription = "", group = "", path = "", parts: found = "" } = match?.groups ?? {};
  if (match === null) return undefined;
  // The first part is empty, and the others are a type and a name in turn.
  const name = found
    .split("/")
    .filter((_, index) => index > 0 && index % 2 === 0)
    .join("/");
  const place: Place = { subscription, group, name };
  const isOfService = ({ service: own = "sql-server" }) => own === serviceName;
  const isPath = (one: string) => one.toLowerCase() === path.toLowerCase();
  if (request.method === "GET" && isPath(permissionsPath)) {
    return {
      effect: "permissions",
      action: permissionsAction,
      apiVersion: "2022-04-01",
      run: () => ({ status: 200, body: { value: listPermissions(state, request) } }),
    };
  }
  const route = service.routes.find((one) => one.method === request.method && isPath(one.path));
  return (
    route && {
      apiVersion: service.apiVersion,
      ...route,
      async run() {
        const resource = await findResource(state, service.type, isOfService, place);
        const id = toId(state, service.type, resource);
        return route.run({ state, request, service, resource, id });
      },
    }
  );
}

function listPermissions({ gate, permissions }: ArmState, { authorization }: ArmRequest) {
  return permissions ?? [{ actions: gate.grantedTo(authorization), notActions: [] }];
}

function findPollRoute(
  state: ArmState,
  request: ArmRequest,
  service: ArmService,
): Routed | undefined {
  const [provider = ""] = service.type.split("/");
  const at = `^/subscriptions/[^/]+/providers/${provider}/locations/[^/]+/(?<kind>[^/]+)/(?<id>[^/]+)$`;
  const { kind, id = "" } = new RegExp(at, "i").exec(request.url.pathname)?.groups ?? {};
  const { status, result } = service.operations;
  if (request.method !== "GET" || (kind !== status && kind !== result)) return undefined;
  // Services of one provider may have the same kinds of operations.
  if (request.url.searchParams.get("api-version") !== service.apiVersion) return undefined;
  return {
    effect: "poll",
    action: toPollAction(service),
    apiVersion: service.apiVersion,
    async run() {
      const operation = await findOperation(state, id);
      return kind === status ? showStatus(state, operation) : showResult(state, operation);
    },
  };
}

/** A hostile platform repeats the request, including the token and the password. */
function spiteful(state: ArmState, request: ArmRequest, refusal: ArmRefusal): ArmRefusal {
  if (!state.faults.hostile) return refusal;
  const { authorization = "", body } = request;
  return { ...refusal, message: `${refusal.message} (${authorization} ${body})` };
}

async function findOperation(state: ArmState, id: string): Promise<Operation> {
  const found = state.operations.find(id);
  if (found === undefined) throw new Refused(armErrors.noSuchResource(id, "unknown"));
  await state.operations.tick(found.resource);
  return found.operation;
}

function showStatus(state: ArmState, operation: Operation): ArmAnswer {
  const { id, startTime, status, error } = operation;
  const body = { name: id, status, startTime };
  if (error !== undefined) {
    return { status: 200, body: { ...body, error: { code: error.code, message: error.message } } };
  }
  const waiting = status === "InProgress" ? { "retry-after": String(state.retryAfter) } : {};
  return { status: 200, headers: waiting, body };
}

function showResult(state: ArmState, { status, error, show }: Operation): ArmAnswer {
  if (status === "InProgress") {
    return { status: 202, headers: { "retry-after": String(state.retryAfter) } };
  }
  if (error !== undefined) throw new Refused(error);
  return { status: 200, body: show() };
}
