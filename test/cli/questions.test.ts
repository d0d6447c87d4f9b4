import { spawnSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { serveOnLoopback } from "../../local/loopback.ts";
import { ctrlC, ctrlD, enter, runInTerminal, type Typed } from "./run-in-terminal.ts";

const id = "01M8DN458WR7MW66ZTVCCEXGYW";
const at = "2026-12-01T10:00:00.000Z";
const none = { waiting: 0, begun: 0, failed: 0, blocked: 0, unfinished: 0, left: 0 };
const breach = {
  ...{
    id,
    state: "preview",
    reason: "theft",
    by: "ada",
    at,
    expiresAt: "2999-01-01T00:00:00.000Z",
  },
  summary: {
    ...{ targets: 3, withGap: 0, keepOldPassword: 0 },
    ...{ consumers: [], otherConsumers: 0, obstacles: {} },
  },
  estimate: { seconds: 60, limitedBy: "server db" },
  ...{ counts: { ...none, rotated: 0 }, selection: { targets: ["a", "b", "c"] } },
  ...{ remainingSeconds: 60, force: false, liftFreezes: false },
};
const ended = { ...breach, state: "ended", endedAt: at, counts: { ...none, rotated: 3 } };
const requested = { target: "a", rotation: id, status: "", joined: false, why: "requested" };

/** Runs a command against an app that accepts everything, and keeps the bodies of its requests. */
async function runWithApp(
  words: readonly string[] | ((url: string) => readonly string[]),
  typed: readonly Typed[],
) {
  const sent: (readonly [path: string, body: unknown])[] = [];
  const server = await serveOnLoopback({
    bodyLimit: 10_000,
    handler:
      () =>
      ({ method, path, body }) => {
        if (method === "POST") sent.push([path, JSON.parse(String(body))]);
        const isPreview = path === "/api/breaches";
        if (path.endsWith("/import")) return Promise.resolve({ status: 202, json: requested });
        return Promise.resolve(
          isPreview ? { status: 201, json: { breach, targets: [] } } : { status: 200, json: ended },
        );
      },
  });
  onTestFinished(() => server.close());
  const environment = { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key", KEY: "a-key" };
  const args = typeof words === "function" ? words(server.url) : words;
  return { ...(await runInTerminal(args, typed, environment)), sent, url: server.url };
}

const breachOf = ["breach", "a", "b", "c", "--reason", "theft"];
const question = "Type 3 to rotate 3 targets now: ";
const paths = (sent: readonly (readonly [string, unknown])[]) => sent.map(([path]) => path);

test("A breach starts when a person types the number of its targets", async () => {
  const typed = [{ after: question, keys: `3${enter}` }];
  const { status, screen, sent } = await runWithApp(breachOf, typed);
  expect(paths(sent)).toEqual(["/api/breaches", `/api/breaches/${id}/confirm`]);
  expect(screen).toMatch(
    /^State +preview$[^]*^Type 3 to rotate 3 targets now: 3$[^]*^State +ended$/m,
  );
  expect(status).toBe(0);
});

test("A breach does not start when a person types something else", async () => {
  const typed = [{ after: question, keys: `yes${enter}` }];
  const { status, screen, sent } = await runWithApp(breachOf, typed);
  expect(paths(sent)).toEqual(["/api/breaches"]);
  expect(screen).toContain(
    `Nothing was started. Start it: keyturn confirm-breach ${id} --reason theft`,
  );
  expect(status).toBe(1);
});

test.each([
  ["Ctrl-C", ctrlC],
  ["Ctrl-D", ctrlD],
])("%s at the question of a breach starts nothing and ends with 130", async (_name, keys) => {
  const { status, screen, sent } = await runWithApp(breachOf, [{ after: question, keys }]);
  expect(paths(sent)).toEqual(["/api/breaches"]);
  expect(screen.trimEnd().split("\n").slice(-2)).toEqual([
    question,
    `Nothing was started. Start it: keyturn confirm-breach ${id} --reason theft`,
  ]);
  expect(status).toBe(130);
});

const prompt = "Password for a: ";

test("A password is typed unseen", async () => {
  const typed = [{ after: prompt, keys: `issued-elsewhere${enter}` }];
  const { status, screen, sent } = await runWithApp(["import", "a"], typed);
  expect(sent).toEqual([["/api/targets/a/import", { value: "issued-elsewhere" }]]);
  expect(screen).not.toContain("issued");
  expect(screen).toMatch(/^Rotation +01M8/m);
  expect(status).toBe(0);
});

test.each([
  ["Ctrl-C", ctrlC],
  ["Ctrl-D", ctrlD],
])("%s at the prompt of a password sends nothing and ends with 130", async (_name, keys) => {
  const typed = [{ after: prompt, keys }];
  const { status, screen, sent } = await runWithApp(["import", "a"], typed);
  expect(sent).toEqual([]);
  expect(screen.trimEnd().split("\n")).toEqual([prompt, "Nothing was sent."]);
  expect(status).toBe(130);
});

test("The printed command confirms the breach as it stands, at the same app", async () => {
  const reason = "eva's laptop, $HOME & more";
  const more = ["--reason", reason, "--ticket", "SEC-1", "--force", "--key-env", "KEY"];
  const typed = [{ after: question, keys: ctrlC }];
  const words = (app: string) => ["breach", "a", "b", "c", ...more, "--app", app];
  const { screen, url } = await runWithApp(words, typed);
  const command = screen.split("\n").find((line) => line.startsWith("Nothing was started."));
  const text = command?.replace(/^.*Start it: keyturn /, "") ?? "";
  const script = `printf '%s\\n' ${text}`;
  const { stdout } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  expect(stdout.trimEnd().split("\n")).toEqual([
    ...["confirm-breach", id, "--force", "--reason", reason, "--ticket", "SEC-1"],
    ...["--app", url, "--key-env", "KEY"],
  ]);
});
