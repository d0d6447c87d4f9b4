import { expect, onTestFinished, test } from "vitest";
import { type LoopbackAnswer, serveOnLoopback } from "../../local/loopback.ts";
import { runCommand } from "./run-command.ts";

const until = "2026-12-24T00:00:00.000Z";
const pause = { reason: "migration", by: "ada", at: "2026-12-01T00:00:00.000Z", until };
const freeze = {
  ...{ id: "01M8DN458WR7MW66ZTVCCEXGYW", state: "in force", reason: "audit", by: "ada" },
  ...{ at: "2026-12-01T00:00:00.000Z", from: "2026-12-01T00:00:00.000Z", until },
  ...{ lift: ["exposure"], selection: { tags: [["owner", "ada"]] }, matches: 2 },
};
const ended = { ...freeze, id: "01M8DN458WR7MW66ZTVCCEXGYX", state: "ended", reason: "holidays" };

/** Runs commands against an app that gives this answer, and keeps what it was sent. */
async function appWith(answer: LoopbackAnswer) {
  const sent: { path: string; body: unknown }[] = [];
  const keys: unknown[] = [];
  const server = await serveOnLoopback({
    bodyLimit: 10_000,
    handler: () => (request) => {
      const text = String(request.body ?? "");
      sent.push({
        path: `${request.method} ${request.path}`,
        body: text === "" ? undefined : JSON.parse(text),
      });
      keys.push(request.headers["idempotency-key"]);
      return Promise.resolve(answer);
    },
  });
  onTestFinished(() => server.close());
  const keyturn = (...args: string[]) =>
    runCommand(args, { environment: { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" } });
  return { keyturn, sent, keys };
}

const paused = (...targets: string[]) =>
  targets.map((target) => ({ target, pause, why: "No rotation starts." }));

test("pause sends the ids, and shows one target as a record", async () => {
  const json = { paused: paused("orders"), notWritten: [] };
  const { keyturn, sent } = await appWith({ status: 200, json });
  const { status, stdout } = await keyturn("pause", "orders", "--until", until, "--reason", "why");
  expect(sent).toEqual([
    { path: "POST /api/pauses", body: { until, reason: "why", targets: ["orders"] } },
  ]);
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^Target +orders\nPaused until +2026-12-24 00:00 UTC .*\nReason +migration\n/,
  );
});

test("pause sends every filter, shows a table, and names what was not written", async () => {
  const notWritten = [{ target: "busy", why: "others are writing to the target" }];
  const json = { paused: paused("orders", "mails"), notWritten };
  const { keyturn, sent } = await appWith({ status: 200, json });
  const filters = ["--health", "failing", "--policy", "p", "--type", "t", "--vault", "v"];
  const more = ["--owner", "ada", "--tag", "team:a", "--overdue", "--due-before", until];
  const wanted = ["--until", until, "--reason", "why", ...filters, ...more];
  const { status, stdout, stderr } = await keyturn("pause", ...wanted);
  expect(sent[0]?.body).toEqual({
    ...{ until, reason: "why", health: "failing", policy: "p", type: "t", vault: "v" },
    ...{ owner: "ada", tag: "team:a", overdue: true, dueBefore: until },
  });
  expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
    ...["TARGET", "orders", "mails", ""],
  ]);
  expect(status).toBe(1);
  expect(stderr).toBe("Not written: busy: others are writing to the target.\n");
  const script = await keyturn("pause", ...wanted, "--json");
  expect(script.status).toBe(1);
  expect(JSON.parse(script.stdout)).toEqual(json);
});

test("resume shows which pauses have ended, and prints nothing if none could be written", async () => {
  const [resumed, notPaused] = [
    { target: "orders", resumed: true, why: "The pause has ended." },
    { target: "mails", resumed: false, why: "The target was not paused." },
  ];
  const all = { resumed: [resumed], notPaused: [notPaused], notWritten: [] };
  const first = await appWith({ status: 200, json: all });
  const { status, stdout } = await first.keyturn("resume", "orders", "mails");
  expect(first.sent[0]).toEqual({
    path: "POST /api/resumes",
    body: { targets: ["orders", "mails"] },
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^orders +yes +The pause has ended\.\nmails +no +The target was/m);
  const notWritten = [{ target: "orders", why: "busy" }];
  const none = await appWith({
    status: 200,
    json: { resumed: [], notPaused: [], notWritten },
  });
  expect(await none.keyturn("resume", "orders")).toEqual({
    ...{ status: 1, stdout: "", stderr: "Not written: orders: busy.\n" },
  });
});

test.each([
  [["pause", "--until", until, "--reason", "x"], /Name targets, or give a filter/],
  [["resume"], /Name targets, or give a filter such as --owner/],
  [["resume", "orders", "--owner", "ada"], /Ids of targets and filters cannot be combined/],
  [["freezes", "x", "--all"], /--all cannot be combined with the id/],
  [["pause", "orders", "--reason", "x"], /--until <time>' not specified/],
])(
  "a selection that says nothing, or two things, is refused before a request: %j",
  async (args, says) => {
    const { keyturn, sent } = await appWith({ status: 500 });
    const { status, stderr } = await keyturn(...args);
    expect({ status, sent }).toEqual({ status: 2, sent: [] });
    expect(stderr).toMatch(says);
  },
);

test("freezes lists those that are open, with --all every one, and shows one by its id", async () => {
  const { keyturn } = await appWith({ status: 200, json: { freezes: [ended, freeze] } });
  const open = await keyturn("freezes");
  expect(open.stdout.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^FREEZE +STATE +UNTIL \(UTC\) +TARGETS +REASON$/),
    `${freeze.id}  in force  2026-12-24 00:00  2        audit`,
  ]);
  const lines = (await keyturn("freezes", "--all", "--json")).stdout.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([ended, freeze]);
  const one = await keyturn("freezes", ended.id);
  expect(one.stdout).toMatch(/^Reason +holidays$/m);
  expect(one.stdout).toMatch(/^Applies to +tag owner:ada$/m);
  const unknown = await keyturn("freezes", "01M8DN458WR7MW66ZTVCCEXGYZ");
  expect(unknown.status).toBe(3);
  expect(unknown.stderr).toContain("`keyturn freezes --all` lists the freezes.");
});

test("freezes says when there is none", async () => {
  const { keyturn } = await appWith({ status: 200, json: { freezes: [ended] } });
  const none = { status: 0, stdout: "", stderr: "No freeze is in force or planned.\n" };
  expect(await keyturn("freezes")).toEqual(none);
});

test("end-freeze ends the freeze, and explains an unknown one", async () => {
  const { keyturn, sent } = await appWith({ status: 200, json: ended });
  expect((await keyturn("end-freeze", ended.id)).stdout).toMatch(/^State +ended$/m);
  expect(sent).toEqual([{ path: `POST /api/freezes/${ended.id}/end`, body: {} }]);
  const unknown = await appWith({
    status: 404,
    headers: { "content-type": "application/problem+json" },
    text: JSON.stringify({
      type: "urn:problem-type:keyturn:freeze-not-found",
      detail: "Freeze x does not exist.",
    }),
  });
  const { status, stderr } = await unknown.keyturn("end-freeze", ended.id);
  expect(status).toBe(3);
  expect(stderr).toBe("Freeze x does not exist. `keyturn freezes` lists the freezes.\n");
});

test.each([
  ["rotate", "orders"],
  ["pause", "orders", "--until", until],
  ["resume", "orders"],
  ["freeze", "--all", "--until", until],
  ["end-freeze", freeze.id],
  ["expose", "orders", "--by", "ada"],
])("%s sends the reason, the ticket and the key", async (...args) => {
  const { keyturn, sent, keys } = await appWith({ status: 500 });
  const words = ["--reason", "host compromised", "--ticket", "INC0007"];
  await keyturn(...args, ...words, "--idempotency-key", "incident-7");
  expect(sent[0]?.body).toMatchObject({ reason: "host compromised", ticket: "INC0007" });
  await keyturn(...args, ...words);
  await keyturn(...args, ...words);
  const [mine, ...made] = keys;
  expect(mine).toBe("incident-7");
  expect(new Set(made).size).toBe(2);
});

test("rotate --force sends the reason", async () => {
  const rotation = "01M8DN458WR7MW66ZTVCCEXGYW";
  const json = { target: "orders", rotation, status: "/", joined: false, why: "requested" };
  const { keyturn, sent } = await appWith({ status: 202, json });
  await keyturn("rotate", "orders", "--force", "leak", "--lift-freeze", "leak");
  expect(sent[0]?.body).toEqual({ force: "leak", liftFreeze: "leak" });
});

test("dry-run shows each check with what to do, and ends with 1 if one failed", async () => {
  const checks = [
    { check: "vault-read", about: "orders", result: "ok", sentence: "It can be read." },
    {
      ...{ check: "privilege", about: "orders_a", result: "failed" },
      ...{ sentence: "A right is missing.", action: "GRANT it." },
    },
  ];
  const failed = await appWith({ status: 200, json: { target: "orders", ready: false, checks } });
  const { status, stdout } = await failed.keyturn("dry-run", "orders");
  expect(status).toBe(1);
  expect(stdout).toMatch(/^privilege +failed, orders_a: A right is missing\.\n +do +GRANT it\.$/m);
  const ready = await appWith({ status: 200, json: { target: "orders", ready: true, checks: [] } });
  expect((await ready.keyturn("dry-run", "orders")).status).toBe(0);
});
