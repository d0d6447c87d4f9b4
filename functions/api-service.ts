import { readCursor, writeCursor } from "./http/cursor.ts";
import { nextPage } from "./http/pages.ts";
import { reply, serve } from "./http/serve.ts";

const schemas = () => import("./schemas/service.ts");

/** Milliseconds one answer is reused: callers without a key must not be able to put load on the journal. */
const cacheMs = 5_000;

let last: { readonly at: number; readonly healthy: Promise<boolean> } | undefined;

serve(
  "api-health",
  async () => (await schemas()).getHealth,
  async ({ operations }) => {
    if (!last || Date.now() - last.at > cacheMs) {
      last = { at: Date.now(), healthy: operations.isHealthy() };
    }
    return (await last.healthy) ? reply(200, { status: "up" }) : reply(503, { status: "down" });
  },
);

serve(
  "api-alarms",
  async () => (await schemas()).listAlarms,
  async (call) => {
    const { limit, cursor } = call.query;
    const [at, id] = readCursor("alarms", cursor) ?? [];
    const after = at !== undefined && id !== undefined && { after: { at, id } };
    const { items, hasMore } = await call.operations.alarms({ limit, ...after });
    const end = hasMore ? items.at(-1) : undefined;
    const place = end && writeCursor("alarms", [end.at, end.id]);
    return reply(200, { alarms: items, ...nextPage("/api/alarms", call.request.query, place) });
  },
);

let document: Promise<object> | undefined;

serve(
  "api-openapi",
  async () => (await schemas()).getDocument,
  async () => {
    document ??= import("./http/document.ts").then(({ makeDocument }) => makeDocument());
    return reply(200, { ...(await document) });
  },
);
