import { problemKinds } from "../../functions/http/problem-kinds.ts";
import { writeTable } from "./markdown.ts";

export const opening = `# HTTP API

Every route of the app, with its parameters, answers and problems. The [runbook](../runbook.md) shows which one to use for a task.
This page is made from the [OpenAPI document](#get-apiopenapijson) that the app answers with.

In the examples, \`$KEYTURN\` is the address of the app, such as \`https://my-app.azurewebsites.net\`, and \`$KEY\` a function key. Send the
key in the header \`x-functions-key\`. Every route but \`GET /api/health\` needs one. Without a valid key the platform answers 401 with no
body. It answers 404 for a path or a method that is not on this page.`;

export const requests = `## Requests

- A body is a JSON object, sent as \`application/json\`, of at most 8 KiB, unless the route says otherwise. If all fields of a body are
  optional, so is the body.
- Unknown fields and query parameters are rejected, and so is one that is given more than once.
- Durations are a whole number and a unit, as in the configuration: \`30s\`, \`10m\`, \`24h\`, \`90d\`.
- Every request that changes something takes \`reason\`, a sentence of at most 200 characters for people and auditors, and \`ticket\`, the
  id of a ticket of another system. The history shows both. The configuration
  [may require them](configuration.md#must-requests-have-a-reason-and-a-ticket). \`cause\` is something else: what made the rotation
  necessary, for programs.
- No route returns a secret. Only \`POST /api/targets/{target}/import\` accepts one.`;

export const repeats = `## Repeat a request safely

Requests that change something take the header \`Idempotency-Key\`: 1 to 200 visible ASCII characters that you choose, such as a
UUID or the number of an incident. If an answer was lost, send the same request with the same key again. Requests about a breach and
\`unblock\` need none: a second one finds what the first one did.

- **Same key, same request:** it takes effect once, and gets the answer that it got first, even if that answer never arrived. The key is
  stored in the same transaction as the effect, so neither exists without the other.
- **Same key, another request:** 422, \`idempotency-key-reused\`. Requests are the same if route, parameters and body are; the order of
  fields does not matter. For different targets, one key may be used again.
- **Many targets:** \`POST /api/pauses\` and \`POST /api/resumes\` remember which targets were selected, and each target remembers its own
  answer. A repetition writes the targets that could not be written before, and no target twice. A target that knows the key from another
  request is listed under \`notWritten\`.
- **Whose key:** a key belongs to the caller who signed in, or to the function key that was sent. Others may use the same text.
- **How long:** as long as the history is kept, 400 days by default.
- A request that was refused (4xx) does not use up its key.

\`\`\`sh
curl -X POST -H "x-functions-key: $KEY" -H 'content-type: application/json' -H 'idempotency-key: incident-7' \\
  -d '{"cause":"exposure"}' $KEYTURN/api/targets/orders-db/rotations
\`\`\``;

export const follow = `## Follow a rotation

\`GET …/rotations/{rotation}/events\` sends server-sent events, which browsers and many libraries read. Each event has the whole rotation
as JSON: \`progress\` whenever it has changed, \`end\` when it is done, failed or blocked.

\`\`\`sh
curl -N -H "x-functions-key: $KEY" $KEYTURN/api/targets/orders-db/rotations/01JQ0000000000000000000000/events
\`\`\`

- **A stream ends after 200 seconds,** because the platform cuts answers after 230. Connect again with the header \`Last-Event-ID\`, as
  browsers do by themselves: an event comes only if something has changed since. Nothing is lost between two connections, because each
  event has the whole state, and its id says which.
- **204** says that you have the last event. An id of another rotation, or one that is not an id, is answered 400.
- **A comment comes every 15 seconds,** so a connection that is silent for longer is lost.
- **One instance streams to five clients at a time.** More are answered 503, \`too-many-streams\`: read the rotation every few seconds
  instead. \`keyturn rotate --follow\` does that by itself.`;

export const lists = `## Lists

Lists are answered page by page. \`next\` is the path of the next page, with its cursor and the same filters; the last page has no \`next\`.
A cursor is opaque. It stays valid while entries are added or removed: the next pages neither repeat nor skip an entry. One exception:
if the target at which a page ended leaves the configuration, its cursor is answered with 400.

\`\`\`sh
curl -H "x-functions-key: $KEY" "$KEYTURN/api/targets/orders-db/rotations?limit=100"
curl -H "x-functions-key: $KEY" "$KEYTURN/api/targets?owner=payments&health=failing"
\`\`\``;

/** The section about errors: their format, and every kind. */
export function writeErrors(format: string, example: unknown): string {
  const rows = Object.entries(problemKinds).map(([kind, { status, meaning, action }]) => [
    `\`${kind}\``,
    String(status),
    meaning,
    action,
  ]);
  return `## Errors

An error is \`application/problem+json\` (RFC 9457). Its \`type\` is \`urn:problem-type:keyturn:\` and one of the kinds below. A kind never
changes its meaning or its status, so programs may compare it.

\`\`\`json
${JSON.stringify(example)}
\`\`\`

${writeTable(["Kind", "Status", "Meaning", "What to do"], rows)}

\`too-many-requests\` is answered to a caller that [sends too many requests](configuration.md#how-many-requests-may-a-caller-send). Every
answer reports what is left of the budget: \`RateLimit: "reads";r=598;t=1\` means 598 requests now, and the whole budget in a second.

The Functions host itself answers 429 without such a body while more requests are open than [host.json](host-settings.md) allows: send the
request again after a moment.

${format}`;
}
