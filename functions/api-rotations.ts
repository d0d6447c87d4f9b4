import type { RotationInput } from "../shared/app.ts";
import { readCursor, refusedCursor, writeCursor } from "./http/cursor.ts";
import { openEventStream, type StreamedEvent } from "./http/event-stream.ts";
import { nextPage } from "./http/pages.ts";
import { ProblemError, rejectUnlessDone, requireTarget } from "./http/problem.ts";
import { replyRequested } from "./http/requested.ts";
import { checkLastEventId, isEnd, toRotationEvent } from "./http/rotation-events.ts";
import { reply, replyStream, replyText, serve } from "./http/serve.ts";
import { withoutUndefined } from "./http/without-undefined.ts";

const schemas = () => import("./schemas/rotations.ts");

serve(
  "api-rotate",
  async () => (await schemas()).requestRotation,
  async (call) => {
    const { params, key, operations, origin } = call;
    const { cause, grace, notBefore, liftFreeze, force } = call.body;
    const input: RotationInput = withoutUndefined({
      ...{ reason: cause, grace, notBefore, liftFreeze, force },
      requestedBy: origin.by,
      justification: origin,
      key,
    });
    const requested = await operations.request(params.target, input);
    return replyRequested(params.target, requireTarget(requested, params.target));
  },
);

serve(
  "api-rotations",
  async () => (await schemas()).listRotations,
  async (call) => {
    const { params, query, operations, request } = call;
    const { limit, cursor } = query;
    const page = { limit, ...readPlace(cursor, params.target) };
    const found = requireTarget(await operations.rotations(params.target, page), params.target);
    const last = found.hasMore ? found.items.at(-1) : undefined;
    const place = last && writeCursor("rotations", [params.target, last.rotationId]);
    const next = nextPage(`/api/targets/${params.target}/rotations`, request.query, place);
    return reply(200, { rotations: found.items, ...next });
  },
);

function readPlace(cursor: string | undefined, id: string): { readonly after?: string } {
  const place = readCursor("rotations", cursor);
  if (!place) return {};
  const [target, after] = place;
  // A cursor of another target would skip newer rotations of this one.
  if (target !== id || after === undefined) throw refusedCursor();
  return { after };
}

serve(
  "api-rotation",
  async () => (await schemas()).getRotation,
  async ({ params, operations }) => {
    const { target, rotation } = params;
    const found = await operations.rotation(target, rotation);
    if (found) return reply(200, found);
    throw noSuchRotation(target, rotation);
  },
);

serve(
  "api-rotation-cancel",
  async () => (await schemas()).cancelRotation,
  async ({ params: { target, rotation }, operations, origin, key }) => {
    const found = await operations.cancelRotation(target, { rotationId: rotation, origin, key });
    if (!found) throw noSuchRotation(target, rotation);
    rejectUnlessDone(found);
    const { notBefore, requestedBy, why } = found;
    return reply(200, { target, rotation, notBefore, requestedBy, why });
  },
);

/** Milliseconds between two reads of the journal. */
const pollMs = 1_000;

serve(
  "api-rotation-events",
  async () => (await schemas()).followRotation,
  async ({ params, headers, operations, clientLeft }) => {
    const { target, rotation } = params;
    const read = async () => {
      const found = await operations.rotation(target, rotation);
      return found && toRotationEvent(found);
    };
    let sent = headers["last-event-id"];
    if (sent !== undefined) checkLastEventId(sent, rotation);
    const first = await read();
    if (!first) throw noSuchRotation(target, rotation);
    if (first.id === sent && isEnd(first)) return replyText(204, "", "text/plain");
    let known: StreamedEvent | undefined = first;
    const next = async () => {
      // A journal that is down for a moment is no reason to end the stream.
      const found = known ?? (await read().catch(() => undefined));
      known = undefined;
      if (!found || found.id === sent) return undefined;
      sent = found.id;
      return found;
    };
    return replyStream(200, openEventStream({ next, isLast: isEnd, pollMs, left: clientLeft }));
  },
);

function noSuchRotation(target: string, rotation: string): ProblemError {
  return new ProblemError("rotation-not-found", `Target "${target}" has no rotation ${rotation}.`);
}
