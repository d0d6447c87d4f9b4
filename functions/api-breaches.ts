import type { BreachInput, BreachSelection, BreachTargetsWanted } from "../shared/app.ts";
import { readCursor, refusedCursor, writeCursor } from "./http/cursor.ts";
import type { Call } from "./http/endpoint.ts";
import { nextPage } from "./http/pages.ts";
import { ProblemError } from "./http/problem.ts";
import { reply, serve } from "./http/serve.ts";
import { toTags } from "./http/target-filter.ts";
import { withoutUndefined } from "./http/without-undefined.ts";
import type { listBreachTargets, previewBreach } from "./schemas/breaches.ts";

const schemas = () => import("./schemas/breaches.ts");

/** How many targets the answer to a preview contains. */
const firstTargets = 100;

serve(
  "api-breach-preview",
  async () => (await schemas()).previewBreach,
  async ({ body, operations, origin, key }) => {
    const { reason, giveUpAfter } = body;
    const input: BreachInput = withoutUndefined({
      ...origin,
      reason,
      giveUpAfter,
      selection: toSelection(body),
    });
    const breach = await operations.previewBreach(input, key);
    const location = `/api/breaches/${breach.id}`;
    const page = await operations.breachTargets(breach.id, { limit: firstTargets });
    const found = requireBreach(page, breach.id);
    const next = toNext(breach.id, found, new URLSearchParams());
    return reply(201, { breach, targets: found.items, ...next }, { location });
  },
);

function toSelection(body: Call<typeof previewBreach>["body"]): BreachSelection {
  const { targets, host, vault, type, policy, exposedBy, owner } = body;
  const tags = [...(body.tags ?? []), ...toTags({ owner })];
  const given = withoutUndefined({ targets, host, vault, type, policy, exposedBy });
  return { ...given, ...(tags.length > 0 && { tags }) };
}

serve(
  "api-breaches",
  async () => (await schemas()).listBreaches,
  async ({ query, operations, request }) => {
    const { limit, cursor } = query;
    const [after] = readCursor("breaches", cursor) ?? [];
    const page = await operations.breaches(withoutUndefined({ limit, after }));
    const last = page.hasMore ? page.items.at(-1) : undefined;
    const place = last && writeCursor("breaches", [last.id]);
    return reply(200, {
      breaches: page.items,
      ...nextPage("/api/breaches", request.query, place),
    });
  },
);

serve(
  "api-breach",
  async () => (await schemas()).getBreach,
  async ({ params, operations }) => {
    const found = await operations.breach(params.breach);
    return reply(200, requireBreach(found, params.breach));
  },
);

serve(
  "api-breach-targets",
  async () => (await schemas()).listBreachTargets,
  async (call) => {
    const { breach } = call.params;
    const page = await call.operations.breachTargets(breach, toWanted(call));
    const found = requireBreach(page, breach);
    const next = toNext(breach, found, call.request.query);
    return reply(200, { targets: found.items, ...next });
  },
);

function toWanted({ params, query }: Call<typeof listBreachTargets>): BreachTargetsWanted {
  const { limit, cursor, state } = query;
  const [breach, after] = readCursor("breach-targets", cursor) ?? [];
  // A cursor of another breach would skip targets of this one.
  if (breach !== undefined && breach !== params.breach) throw refusedCursor();
  return {
    limit,
    ...(after !== undefined && { after: Number(after) }),
    ...(state !== undefined && { states: [state] }),
  };
}

interface Page {
  readonly items: readonly { readonly place: number }[];
  readonly hasMore: boolean;
}

function toNext(breach: string, { items, hasMore }: Page, sent: URLSearchParams) {
  const last = hasMore ? items.at(-1) : undefined;
  const cursor = last && writeCursor("breach-targets", [breach, String(last.place)]);
  return nextPage(`/api/breaches/${breach}/targets`, sent, cursor);
}

serve(
  "api-breach-confirm",
  async () => (await schemas()).confirmBreach,
  async ({ params, body, operations, origin, key }) => {
    const { force, liftFreezes } = body;
    const how = { ...origin, force, liftFreezes };
    const changed = await operations.confirmBreach(params.breach, how, key);
    return reply(200, requireChanged(changed, params.breach));
  },
);

serve(
  "api-breach-pause",
  async () => (await schemas()).pauseBreach,
  async ({ params, operations, origin, key }) => {
    const changed = await operations.pauseBreach(params.breach, origin, key);
    return reply(200, requireChanged(changed, params.breach));
  },
);

serve(
  "api-breach-resume",
  async () => (await schemas()).resumeBreach,
  async ({ params, operations, origin, key }) => {
    const changed = await operations.resumeBreach(params.breach, origin, key);
    return reply(200, requireChanged(changed, params.breach));
  },
);

serve(
  "api-breach-cancel",
  async () => (await schemas()).cancelBreach,
  async ({ params, operations, origin, key }) => {
    const changed = await operations.cancelBreach(params.breach, origin, key);
    return reply(200, requireChanged(changed, params.breach));
  },
);

function requireBreach<Found>(found: Found | undefined, id: string): Found {
  if (found !== undefined) return found;
  throw new ProblemError("breach-not-found", `Breach ${id} does not exist.`);
}

function requireChanged<Changed extends object>(
  changed: Changed | undefined,
  id: string,
): Exclude<Changed, { readonly refused: string }> {
  const found = requireBreach(changed, id);
  if (!isRefused(found)) return found as Exclude<Changed, { readonly refused: string }>;
  throw new ProblemError(found.isStale === true ? "breach-stale" : "breach-state", found.refused);
}

function isRefused(
  changed: object,
): changed is { readonly refused: string; readonly isStale?: boolean } {
  return "refused" in changed;
}
