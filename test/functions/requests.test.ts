import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import type { HttpFunctionOptions } from "@azure/functions";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { endpoints, listProblems } from "../../functions/http/document.ts";
import { type ProblemKind, problemKinds, problemType } from "../../functions/http/problem-kinds.ts";
import { routes as registrations } from "../../functions/http/routes.ts";
import { parseConfig } from "../../shared/config/load.ts";
import { formatProblem } from "../../shared/config/problems.ts";
import {
  KeyReusedError,
  LeaseLostError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../shared/core/errors.ts";
import { day, plus } from "../../shared/core/time.ts";
import { CheckTooCostlyError } from "../../shared/edited-config.ts";
import type { Operations } from "../../shared/engine/operations.ts";
import type { Edited } from "../../shared/engine/queries/plan.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../shared/stores/journal.ts";
import { type Answered, checkAnswer, routes } from "./requests/answer-checks.ts";
import {
  arbitraryRequest,
  type KnownValues,
  type SentRequest,
} from "./requests/arbitrary-request.ts";
import { call, configuration, invoke, makeMemoryOperations } from "./requests/in-memory-app.ts";

const root = resolve(import.meta.dirname, "../..");

interface LoadedApp {
  readonly handlers: Map<string, HttpFunctionOptions>;
  operations: unknown;
}
const app = vi.hoisted((): LoadedApp => ({ handlers: new Map(), operations: undefined }));
vi.mock("@azure/functions", async (importOriginal) => {
  const ignored = () => undefined;
  const http = (_name: string, options: HttpFunctionOptions) => {
    for (const method of options.methods ?? []) {
      app.handlers.set(`${method} /api/${options.route ?? ""}`, options);
    }
  };
  const hook = { appStart: ignored };
  const doubles = {
    app: { http, hook, timer: ignored, storageQueue: ignored, eventGrid: ignored },
  };
  return { ...(await importOriginal<object>()), ...doubles };
});
vi.mock("../../functions/invocation/invocation-operations.ts", () => ({
  openOperations: () => Promise.resolve(app.operations),
}));
// A thread for each edited configuration would take most of the time.
vi.mock("../../shared/edited-config.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  checkInThread: checkHere,
}));

async function checkHere(text: string): Promise<Edited> {
  const rotators = makeRotators({ getToken: () => Promise.resolve(null) });
  const { targets, warnings } = await parseConfig(text, { rotators });
  return { targets, warnings: warnings.map(formatProblem) };
}

let operations: Operations;
let known: KnownValues;
beforeAll(async () => {
  for (const file of globSync("functions/api-*.ts", { cwd: root })) await import(join(root, file));
  ({ operations, known } = await makeMemoryOperations());
});
beforeEach(() => {
  app.operations = operations;
});

/** Cursors of real pages, for requests that follow. */
const cursors: string[] = ["WyJ0YXJnZXRzIiwiYXBwIl0"];
function remember({ text }: Answered): void {
  const [, cursor] = /[?&]cursor=([\w-]+)/.exec(text) ?? [];
  if (cursor !== undefined && cursors.length < 50) cursors.push(cursor);
}

describe("Random requests", () => {
  // Takes seconds, and minutes on a busy machine.
  test(
    "are answered as the document says, and never with an unexpected error",
    { timeout: 600_000 },
    async () => {
      const statuses = new Map<number, number>();
      const request = arbitraryRequest({ ...known, cursor: cursors });
      await fc.assert(
        fc.asyncProperty(request, async (sent) => {
          const answer = await call(app.handlers, sent);
          expect(checkAnswer(sent.route, answer)).toBe("");
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          remember(answer);
        }),
        { numRuns: 1_500 },
      );
      // The requests reach the operations as well as the checks.
      for (const status of [200, 202, 400]) expect(statuses.get(status)).toBeGreaterThan(5);
      for (const status of [404, 415]) expect(statuses.get(status)).toBeGreaterThan(0);
    },
  );
});

const until = plus(new Date().toISOString(), day);

/** Valid bodies, by operation. The bodies of reports need only `by`. */
const plainBodies: Readonly<Record<string, object>> = {
  requestRotation: {},
  importSecret: { value: "issued-elsewhere" },
  undo: {},
  cancelRotation: {},
  unblockTarget: {},
  pauseTarget: { reason: "a test", until },
  resumeTarget: {},
  pauseTargets: { reason: "a test", until, targets: ["app"] },
  resumeTargets: { targets: ["app"] },
  createFreeze: { reason: "a test", until, everything: true },
  endFreeze: {},
  previewBreach: { reason: "a test", targets: ["app"] },
  confirmBreach: {},
  pauseBreach: {},
  resumeBreach: {},
  cancelBreach: {},
  dryRun: {},
};

/** A request that is valid for every route. */
function plainRequest(route: SentRequest["route"]): SentRequest {
  const ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const all = { target: "app", rotation: ulid, freeze: ulid, breach: ulid };
  const params = Object.fromEntries(
    Object.entries(all).filter(([name]) => route.path.includes(`{${name}}`)),
  );
  const content = route.operation.requestBody?.content ?? {};
  const json = JSON.stringify(plainBodies[route.operation.operationId] ?? { by: "anna" });
  const body = "application/json" in content ? json : "version: 1\n";
  return {
    route,
    params,
    query: [],
    headers: {},
    body: route.operation.requestBody && body,
  };
}

/** Operations that all do this. Nothing limits requests. */
const operationsThat = (act: () => Promise<unknown>): unknown =>
  new Proxy(
    {},
    {
      get: (_all, name) => {
        if (name === "then") return undefined;
        return name === "admit" ? () => Promise.resolve(undefined) : act;
      },
    },
  );
const throwing = (error: Error): unknown => operationsThat(() => Promise.reject(error));
const answering = (value: unknown): unknown => operationsThat(() => Promise.resolve(value));
const refusing = () => {
  const admit = () => Promise.resolve({ wait: 1_500, limit: 60, remaining: 0, fullIn: 60_000 });
  return { admit };
};

const unknown = () => answering(undefined);

/** How each kind of problem is provoked. */
const provocations: Readonly<
  Record<ProblemKind, { readonly operations?: () => unknown; readonly sent?: Partial<SentRequest> }>
> = {
  "invalid-request": { sent: { query: [["no-such-parameter", "1"]] } },
  "target-not-found": { operations: unknown },
  "rotation-not-found": { operations: unknown },
  "freeze-not-found": { operations: unknown },
  "no-ledger-entry": { operations: unknown },
  "breach-not-found": { operations: unknown },
  "breach-stale": { operations: () => answering({ refused: "Others.", isStale: true }) },
  "breach-state": { operations: () => answering({ refused: "It has ended." }) },
  busy: { operations: () => throwing(new LeaseLostError("lost")) },
  "not-possible": { operations: () => answering({ refused: "target app is not blocked" }) },
  "vault-unavailable": { operations: () => throwing(new VaultUnavailableError("gone")) },
  "target-unavailable": { operations: () => throwing(new TargetUnavailableError("gone")) },
  "body-too-large": { sent: { body: "x".repeat(1024 * 1024 + 1) } },
  "unsupported-content-type": { sent: { headers: { "content-type": "text/html" } } },
  "idempotency-key-reused": { operations: () => throwing(new KeyReusedError("reused")) },
  "too-many-requests": { operations: refusing },
  "invalid-configuration": { sent: { body: "version: 2\n" } },
  "configuration-too-costly": {
    operations: () => throwing(new CheckTooCostlyError("too much")),
    sent: { body: configuration },
  },
  "too-many-plans": { sent: { body: configuration } },
  "too-many-streams": {},
  "record-unreadable": { operations: () => throwing(new UnreadableRowError("newer", true)) },
  "journal-unavailable": {
    operations: () => throwing(new JournalUnavailableError("gone")),
    sent: { body: configuration },
  },
};

describe("Every problem that the document lists", () => {
  const cases = Object.entries(endpoints).flatMap(([id, endpoint]) =>
    listProblems(endpoint).map((kind) => [id, kind, endpoint] as const),
  );

  test.each(cases)("is answered as it says: %s, %s", async (id, kind) => {
    const route = routes.find(({ operation }) => operation.operationId === id);
    if (!route) throw new Error(`${id} is not in the document`);
    const sent = provoke(id, kind);
    const plain = plainRequest(route);
    const isText = !("application/json" in (route.operation.requestBody?.content ?? {}));
    const body = isText || kind === "body-too-large" ? (sent.body ?? plain.body) : plain.body;
    const request = { ...plain, ...sent, body: plain.body === undefined ? undefined : body };
    const answer = await (tooMany[kind] ?? ((sent) => call(app.handlers, sent)))(request);
    expect(checkAnswer(route, answer)).toBe("");
    expect(JSON.parse(answer.text)).toMatchObject({
      type: problemType(kind),
      title: problemKinds[kind].title,
      status: problemKinds[kind].status,
    });
  });

  test("has a meaning and an action that are sentences, and belongs to a route", () => {
    const used = new Set(cases.map(([, kind]) => kind));
    expect([...used].sort()).toEqual(Object.keys(problemKinds).sort());
    for (const { meaning, action } of Object.values(problemKinds)) {
      expect(meaning).toMatch(/^[A-Z`].+\.$/);
      expect(action).toMatch(/^[A-Z`].+\.$/);
    }
  });
});

/** Prepares the operations, and returns what is special in the request. */
function provoke(id: string, kind: ProblemKind): Partial<SentRequest> {
  const { operations, sent = {} } = provocations[kind];
  if (operations) app.operations = operations();
  // An operation on a selection answers which of its targets do not exist.
  const isSelection = id === "pauseTargets" || id === "resumeTargets";
  if (kind === "target-not-found" && isSelection) app.operations = answering({ unknown: ["x"] });
  return sent;
}

const tooMany: Readonly<Partial<Record<ProblemKind, (sent: SentRequest) => Promise<Answered>>>> = {
  "too-many-plans": oneTooMany,
  "too-many-streams": oneStreamTooMany,
};

/** Opens as many streams as an instance has, and returns the answer to one more. */
async function oneStreamTooMany(request: SentRequest): Promise<Answered> {
  const rotation = { rotationId: "01ARZ3NDEKTSV4RRFFQ69G5FAV", state: "running", phases: [] };
  app.operations = answering(rotation);
  const open = await Promise.all(Array.from({ length: 5 }, () => invoke(app.handlers, request)));
  const answer = await call(app.handlers, request);
  for (const { body } of open) if (body instanceof ReadableStream) await body.cancel();
  return answer;
}

/** Sends more requests at once than the app works on, and returns the last answer. */
async function oneTooMany(request: SentRequest): Promise<Answered> {
  const { promise, resolve: finish } = Promise.withResolvers<string>();
  const admit = () => Promise.resolve(undefined);
  app.operations = { admit, plan: () => promise, planEdit: () => promise };
  const most = request.route.method === "GET" ? 4 : 2;
  const started = Array.from({ length: most }, () => call(app.handlers, request));
  // Each has to reach the limit before the next request.
  const answer = await vi.waitFor(async () => {
    const last = await Promise.race([call(app.handlers, request), afterAWhile()]);
    if (!last) throw new Error("The limit is not reached yet.");
    return last;
  });
  finish("{}");
  await Promise.all(started);
  return answer;
}

const afterAWhile = (): Promise<undefined> =>
  new Promise((done) => {
    setTimeout(() => {
      done(undefined);
    }, 100);
  });

test("A repeated query parameter is refused by name, although the host joins its values", async () => {
  const route = routes.find(({ operation }) => operation.operationId === "listTargets");
  if (!route) throw new Error("listTargets is not in the document");
  const query = [
    ["limit", "2"],
    ["limit", "3"],
  ] as const;
  const { status, text } = await call(app.handlers, { ...plainRequest(route), query });
  expect([status, JSON.parse(text)]).toMatchObject([
    400,
    { detail: "Query parameter `limit` is given more than once. Give it once." },
  ]);
});

test("The document lists exactly the routes that the functions register, with their access", () => {
  const documented = routes.map(({ method, path, operation }) => [
    `${method} ${path}`,
    operation.security?.length === 0 ? "anonymous" : "function",
  ]);
  const registered = [...app.handlers].map(([route, { authLevel }]) => [route, authLevel]);
  expect(documented.sort()).toEqual(registered.sort());
  expect(registered).toHaveLength(Object.keys(registrations).length);
});
