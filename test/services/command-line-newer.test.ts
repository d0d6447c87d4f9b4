import { expect, onTestFinished, test } from "vitest";
import { type LoopbackRequest, serveOnLoopback } from "../../local/loopback.ts";
import { runCommand } from "../cli/run-command.ts";

const until = "2099-01-01T00:00:00.000Z";
const reason = "audit";
const freeze = {
  ...{ id: "01M8DN458WR7MW66ZTVCCEXGYW", state: "in force", reason, from: until, until },
  ...{ by: "ada", at: until, selection: {} },
};
const explanation = {
  ...{ target: "orders", state: "waiting", summary: "Waits for its window.", because: ["Window."] },
  next: [{ kind: "start", what: "start a rotation", at: until, why: "the window opens" }],
  actions: [{ kind: "wait", do: "wait", why: "it starts by itself", command: "true" }],
};
const verified = { target: "orders", why: "The log-in worked.", checkedAt: until };

interface Case {
  readonly args: readonly string[];
  readonly path: string;
  readonly body?: object;
  readonly answer: object;
  readonly status?: number;
  readonly code?: number;
  readonly prints: RegExp;
}

test.each<Case>([
  {
    args: ["verify", "orders"],
    path: "/api/targets/orders/verify",
    answer: { ...verified, result: "accepted" },
    prints: /^Result +accepted$/m,
  },
  {
    args: ["verify", "orders"],
    path: "/api/targets/orders/verify",
    answer: { ...verified, result: "rejected" },
    code: 1,
    prints: /^Result +rejected$/m,
  },
  {
    args: ["freeze", "orders", "mails", "--until", "2099-01-01", "--reason", reason],
    path: "/api/freezes",
    body: { until, reason, targets: ["orders", "mails"] },
    answer: { ...freeze, lift: ["exposure", "breach"], matches: 2 },
    status: 201,
    prints: /^Lifted by +exposure, breach$/m,
  },
  {
    args: ["freeze", "--all", "--until", "2099-01-01", "--reason", reason, "--lift", "none"],
    path: "/api/freezes",
    body: { until, reason, everything: true, lift: [] },
    answer: { ...freeze, lift: [], matches: 3 },
    status: 201,
    prints: /^Targets +3 at present$/m,
  },
  {
    args: ["explain", "orders"],
    path: "/api/targets/orders/explanation",
    answer: explanation,
    prints: /^Next +2099-01-01 00:00 UTC \(in .*\): start a rotation$/m,
  },
])("keyturn $args sends a request and prints the answer", async (one) => {
  const { args, path, body, answer, status = 200, code = 0, prints } = one;
  const requests: LoopbackRequest[] = [];
  const server = await serveOnLoopback({
    bodyLimit: 10_000,
    handler: () => (request) => {
      requests.push(request);
      return Promise.resolve({ status, json: answer });
    },
  });
  onTestFinished(() => server.close());
  const environment = { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" };
  const people = await runCommand(args, { environment });
  expect(people).toMatchObject({ status: code, stderr: "" });
  expect(people.stdout).toMatch(prints);
  expect(requests[0]?.path).toBe(path);
  if (body) expect(JSON.parse(requests[0]?.body?.toString() ?? "")).toEqual(body);
  const scripts = await runCommand([...args, "--json"], { environment });
  expect(JSON.parse(scripts.stdout)).toEqual(answer);
});

test("an app without the route is reported as older than the command", async () => {
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler: () => () => Promise.resolve({ status: 404 }),
  });
  onTestFinished(() => server.close());
  const environment = { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" };
  const { status, stderr } = await runCommand(["verify", "orders"], { environment });
  expect(status).toBe(4);
  expect(stderr).toMatch(/the app is older than this command; deploy the same version\.$/m);
});

test("a freeze needs a selection, and only one kind", async () => {
  const until = ["--until", "2099-01-01", "--reason", reason];
  const environment = { KEYTURN_APP: "http://127.0.0.1:9", KEYTURN_KEY: "a-key" };
  for (const selection of [[], ["orders", "--all"]]) {
    const { status, stderr } = await runCommand(["freeze", ...selection, ...until], {
      environment,
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^Name targets, or a filter such as --owner, or --all/);
  }
});
