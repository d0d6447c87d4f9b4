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

const breachId = "01M8DN458WR7MW66ZTVCCEXGYX";
const none = { waiting: 0, begun: 0, failed: 0, blocked: 0, unfinished: 0, left: 0, rotated: 0 };
const breach = {
  ...{ id: breachId, state: "running", reason: "theft", by: "ada", at, expiresAt: at },
  summary: {
    ...{ targets: 2, withGap: 0, keepOldPassword: 0 },
    ...{ consumers: [], otherConsumers: 0, obstacles: {} },
  },
  estimate: { seconds: 60, limitedBy: "server db" },
  ...{ counts: none, selection: { targets: ["a", "b"] }, remainingSeconds: 60 },
  ...{ force: false, liftFreezes: false },
};

const rotationCommand = ["rotation", "orders", rotationId];
const breachCommand = ["breaches", breachId];

/** Follows for a second at an app that gives the first answers and then does something else. */
async function followFor1s(
  command: readonly string[],
  first: readonly LoopbackAnswer[],
  then: () => Promise<LoopbackAnswer>,
) {
  const left = [...first];
  let requests = 0;
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler: () => () => {
      requests++;
      const next = left.shift();
      return next === undefined ? then() : Promise.resolve(next);
    },
  });
  onTestFinished(() => server.close());
  const ended = await runCommand([...command, "--follow", "--timeout", "1s", "--json"], {
    environment: { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" },
  });
  return { ...ended, requests };
}

const hangUp = () => Promise.resolve<LoopbackAnswer>("hang-up");
const silence = () => new Promise<LoopbackAnswer>(() => undefined);
const progress = stream(event("progress", rotation, 1));

test.each<[string, readonly string[], readonly LoopbackAnswer[], object]>([
  ["a rotation", rotationCommand, [{ status: 503 }, { status: 200, json: rotation }], rotation],
  ["the events of a rotation", rotationCommand, [progress], rotation],
  ["a breach", breachCommand, [{ status: 200, json: breach }], breach],
])(
  "--timeout ends %s with the last known state, although the app does not answer any more",
  async (_what, command, first, known) => {
    const [gone, silent] = await Promise.all([
      followFor1s(command, first, hangUp),
      followFor1s(command, first, silence),
    ]);
    for (const { status, stdout } of [gone, silent]) {
      expect([status, JSON.parse(stdout)]).toEqual([5, known]);
    }
    expect(gone.requests).toBeLessThan(10);
  },
  20_000,
);

test.each([
  ["a rotation", rotationCommand],
  ["a breach", breachCommand],
])(
  "%s that was never read is not waited for longer than --timeout",
  async (_what, command) => {
    const { status, stdout, stderr, requests } = await followFor1s(command, [], hangUp);
    expect([status, stdout]).toEqual([4, ""]);
    expect(stderr).toContain("was lost");
    expect(requests).toBeLessThan(10);
  },
  20_000,
);

test("A followed preview that expires ends with 1", async () => {
  const expired: LoopbackAnswer = { status: 200, json: { ...breach, state: "expired" } };
  const { status, stdout } = await followFor1s(breachCommand, [expired], hangUp);
  expect([status, JSON.parse(stdout)]).toMatchObject([1, { state: "expired" }]);
});
