import { expect, onTestFinished, test } from "vitest";
import { type LoopbackAnswer, serveOnLoopback } from "../../local/loopback.ts";
import { runCommand } from "./run-command.ts";

const at = "2026-12-01T10:00:00.000Z";
const rotationId = "01M8DN458WR7MW66ZTVCCEXGYW";
const path = `/api/targets/orders/rotations/${rotationId}`;
const rotation = {
  ...{ rotationId, targetId: "orders", state: "running", cause: "operator" },
  ...{ requestedBy: "ada", requestedAt: at, why: "requested", policyFingerprint: "f" },
  phases: [{ phase: "staging", startedAt: at }],
};
const done = { ...rotation, state: "done", endedAt: at };

const event = (name: string, data: object, number: number) =>
  `id: ${rotationId}.${number}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const stream = (...events: string[]): LoopbackAnswer => ({
  status: 200,
  headers: { "content-type": "text/event-stream" },
  text: `retry: 2000\n\n: alive\n\n${events.join("")}`,
});

/** Follows a rotation of an app that answers like this, and keeps which paths were read. */
async function follow(answers: { readonly events: LoopbackAnswer; readonly state?: object }) {
  const paths: string[] = [];
  const server = await serveOnLoopback({
    bodyLimit: 10_000,
    handler: () => (request) => {
      paths.push(request.path);
      const { events, state = done } = answers;
      return Promise.resolve(
        request.path.endsWith("/events") ? events : { status: 200, json: state },
      );
    },
  });
  onTestFinished(() => server.close());
  const more = ["orders", rotationId, "--follow", "--timeout", "3s", "--json"];
  const ended = await runCommand(["rotation", ...more], {
    environment: { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" },
  });
  return { ...ended, paths };
}

test("A followed rotation is read from its events, without a poll", async () => {
  const events = stream(event("progress", rotation, 1), event("end", done, 2));
  const { status, stdout, paths } = await follow({ events });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual(done);
  expect(paths).toEqual([`${path}/events`]);
});

test.each(["failed", "cancelled"])("A rotation that is %s ends with 1", async (state) => {
  const events = stream(event("end", { ...done, state }, 1));
  expect((await follow({ events })).status).toBe(1);
});

test.each<[string, LoopbackAnswer]>([
  ["has too many streams", { status: 503, headers: { "retry-after": "5" } }],
  ["does not know the path, because it is older", { status: 404 }],
  ["is behind a proxy that answers a page", { status: 200, text: "<html>" }],
  ["says that the end is known", { status: 204 }],
  ["ends the stream at once", stream(event("progress", rotation, 1))],
])("A followed rotation is polled if the app %s", async (_what, events) => {
  const { status, stdout, paths } = await follow({ events });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual(done);
  expect(paths).toEqual([`${path}/events`, path]);
});

test("--timeout ends a followed rotation with 5, whatever the app does", async () => {
  const events = stream(event("progress", rotation, 1));
  const { status, stdout } = await follow({ events, state: rotation });
  expect(status).toBe(5);
  expect(JSON.parse(stdout)).toMatchObject({ state: "running" });
});
