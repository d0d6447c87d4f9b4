import { type HttpFunctionOptions, HttpRequest, type InvocationContext } from "@azure/functions";
import { hour } from "../../../shared/core/time.ts";
import { makeOperations, type Operations } from "../../../shared/engine/operations.ts";
import { makeMemoryQueue } from "../../../shared/stores/memory/memory-queue.ts";
import { makeWorld, open, pairAdmin } from "../../engine/world.ts";
import type { Answered } from "./answer-checks.ts";
import { type KnownValues, type SentRequest, toHeaders, toPath } from "./arbitrary-request.ts";

/** Operations on memory: a target with a history, and one that is not adopted yet. */
export async function makeMemoryOperations(): Promise<{
  readonly operations: Operations;
  readonly known: KnownValues;
}> {
  const world = await makeWorld(pairAdmin);
  const { target } = world;
  const targets = [
    { ...target, tags: { owner: "payments" } },
    { ...target, id: "other", policy: { ...target.policy, name: "often" } },
  ];
  const queue = makeMemoryQueue(world.now);
  const deps = { ports: world.ports(open), queue, targets, vaultAt: () => "main" };
  const operations = makeOperations(deps)(() => undefined);
  const ids: string[] = [];
  for (let round = 0; round < 3; round++) {
    const asked = await operations.request("app", { reason: "operator", requestedBy: "anna" });
    ids.push(asked?.rotationId ?? "");
    await operations.work({ targetId: "app", because: "requested" });
    world.advance(hour);
  }
  const dated = { requestedBy: "anna", notBefore: "2026-12-20T00:00:00.000Z" };
  ids.push((await operations.request("app", { ...dated, reason: "operator" }))?.rotationId ?? "");
  const breaches: string[] = [];
  for (const [targets, change] of [
    [["app"], "confirmBreach"],
    [["app", "other"], "cancelBreach"],
    [["other"], undefined],
  ] as const) {
    const asked = { by: "anna", reason: "a test", selection: { targets } };
    const { id } = await operations.previewBreach(asked);
    breaches.push(id);
    const how = { by: "anna", force: false, liftFreezes: false };
    if (change) await operations[change](id, how);
    await operations.work({ breachId: id, because: "changed" });
  }
  const known = {
    breach: breaches,
    host: ["memory", "memory:0"],
    exposedBy: ["anna"],
    giveUpAfter: ["10s", "15m"],
    target: ["app", "other"],
    rotation: ids,
    policy: ["test", "often"],
    type: [target.type],
    vault: ["main"],
    owner: ["payments"],
    tag: ["owner:payments"],
    targets: ["*", "app", "o*"],
    configuration: [configuration],
    grace: ["0s", "1h", "12h"],
    at: [new Date(Date.now() - hour).toISOString(), "2026-01-02T10:00:00Z"],
  };
  return { operations, known };
}

/** A configuration without problems. JSON is YAML. */
export const configuration = JSON.stringify({
  version: 1,
  vaults: { main: { url: "https://example.vault.azure.net" } },
  policies: { default: { every: "90d" } },
  targets: {
    app: {
      type: "postgresql",
      options: { host: "db.example.com" },
      accounts: ["app"],
      admin: "self",
      publish: "app-db",
    },
  },
});

/** Calls the handler of a route as the Functions host does, which joins the values of repeated parameters. */
export async function call(
  handlers: ReadonlyMap<string, HttpFunctionOptions>,
  sent: SentRequest,
): Promise<Answered> {
  const { status, headers, body } = await invoke(handlers, sent);
  const text = body instanceof ReadableStream ? await readSome(body) : (body ?? "");
  return { status, headers: new Headers(headers), text };
}

/** What comes within a second: a stream of events may stay open for minutes. */
async function readSome(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const over = setTimeout(() => void reader.cancel(), 1_000);
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
  }
  clearTimeout(over);
  return text;
}

interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | ReadableStream<Uint8Array> | undefined;
}

/** The same, and returns a stream before it has ended. */
export async function invoke(
  handlers: ReadonlyMap<string, HttpFunctionOptions>,
  sent: SentRequest,
): Promise<RawAnswer> {
  const { method, path } = sent.route;
  const query: Record<string, string> = {};
  for (const [name, value] of sent.query) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  const request = new HttpRequest({
    method,
    url: `http://localhost${toPath(sent)}`,
    headers: toHeaders(sent),
    query,
    params: { ...sent.params },
    ...(sent.body !== undefined && { body: { string: sent.body } }),
  });
  const handler = handlers.get(`${method} ${path}`)?.handler;
  const context = { invocationId: "", warn: () => undefined } as unknown as InvocationContext;
  const answer = await handler?.(request, context);
  const { status = 200, headers = {}, body } = answer as Partial<RawAnswer>;
  return { status, headers, body };
}
