import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { QueueServiceClient } from "@azure/storage-queue";
import { rolldown } from "rolldown";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../../../local/azurite.ts";
import { fixtureApp } from "./hosted-fixture.ts";

const program = fileURLToPath(new URL("../../../local/host/main.ts", import.meta.url));

let azurite: Azurite;
const children: ChildProcess[] = [];
const apps: string[] = [];
const cache = fileURLToPath(new URL("../../../.cache/", import.meta.url));
beforeAll(async () => {
  await mkdir(cache, { recursive: true });
  azurite = await startAzurite({ memory: true });
});
afterEach(async () => {
  const running = children.splice(0).filter((it) => it.exitCode === null && it.signalCode === null);
  const gone = running.map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGKILL");
  // Until they have ended, they write to the folders that are removed at the end.
  await Promise.all(gone);
});
afterAll(async () => {
  await azurite.close();
  for (const directory of apps) await rm(directory, { recursive: true });
});

interface HostProcess {
  child: ChildProcess;
  url: Promise<string>;
  lines: string[];
  errors: Promise<string>;
  /** Exit code or signal. */
  exited: Promise<number | NodeJS.Signals | null>;
}

function run(
  given: readonly string[],
  work = "work",
  channel: "pipe" | "ipc" = "pipe",
): HostProcess {
  const env = {
    PATH: process.env["PATH"],
    AzureWebJobsStorage: azurite.connectionString,
    WORK_QUEUE: work,
    POISON_QUEUE: `${work}-poison`,
    TICK_SCHEDULE: "0 0 0 29 2 *",
  };
  const child = spawn(process.execPath, [program, ...given], {
    env,
    stdio: channel === "pipe" ? "pipe" : ["ignore", "pipe", "pipe", "ipc"],
  });
  if (child.stdout === null || child.stderr === null)
    throw new Error("The host has no standard output.");
  children.push(child);
  const lines: string[] = [];
  const ready = Promise.withResolvers<string>();
  const output = createInterface(child.stdout);
  output.on("line", (line) => {
    lines.push(line);
    const record = JSON.parse(line) as { ready?: boolean; url?: string };
    if (record.ready === true) ready.resolve(record.url ?? "");
  });
  output.once("close", () => {
    ready.reject(new Error(`The host ended before it was ready:\n${lines.join("\n")}`));
  });
  // A test that only waits for the end does not read it.
  ready.promise.catch(() => undefined);
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? signal);
    });
  });
  return { child, url: ready.promise, lines, errors: text(child.stderr), exited };
}

const send = async (queue: string, message: string) => {
  const client = QueueServiceClient.fromConnectionString(azurite.connectionString);
  await client.getQueueClient(queue).sendMessage(Buffer.from(message).toString("base64"));
};
const heard = (host: HostProcess, words: string) =>
  expect
    .poll(() => host.lines.some((line) => line.includes(words)), { timeout: 30_000 })
    .toBe(true);

/** Makes an app folder that finds the project's packages. */
async function temporaryApp(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(path.join(cache, "app-"));
  await writeFile(path.join(directory, "host.json"), '{"version":"2.0"}');
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(directory, name), content);
  }
  apps.push(directory);
  return directory;
}

describe("The host process", () => {
  test("reports that it is ready, serves the app, and on SIGTERM lets functions end and exits with 0", async () => {
    const keys = path.join(await mkdtemp(path.join(tmpdir(), "host-")), "keys.json");
    const host = run(["--app", fixtureApp, "--port", "0", "--keys", keys]);
    const url = await host.url;
    const stored = JSON.parse(await readFile(keys, "utf8")) as { default: string };
    const response = await fetch(`${url}/api/echo/special?code=${stored.default}`);
    expect(await response.text()).toBe("special");
    const slow = fetch(`${url}/api/slow`);
    await heard(host, "slow begins");
    host.child.kill("SIGTERM");
    expect(await (await slow).text()).toBe("finished");
    expect(await host.exited).toBe(0);
    expect(await host.errors).toBe("terminated after appStart\n");
    for (const line of host.lines) expect(line).not.toContain(stored.default);
  });

  test("also exits with 0 on SIGINT", async () => {
    const host = run(["--app", fixtureApp, "--main", "functions/http.ts"]);
    await host.url;
    host.child.kill("SIGINT");
    expect(await host.exited).toBe(0);
  });

  test("leaves its message to the next host soon after it is killed", async () => {
    const given = ["--app", fixtureApp, "--main", "functions/queues.ts", "--lease", "2"];
    const first = run(given, "killed");
    await first.url;
    await send("killed", "slow but sure");
    await heard(first, 'work \\"slow but sure\\" (1)');
    first.child.kill("SIGKILL");
    expect(await first.exited).toBe("SIGKILL");
    const second = run(given, "killed");
    await heard(second, 'work \\"slow but sure\\" (2)');
    await heard(second, 'worked \\"slow but sure\\"');
    second.child.kill("SIGTERM");
    expect(await second.exited).toBe(0);
  });

  test("ends when the pipe to its parent breaks, with --with-parent", async () => {
    const host = run(["--app", fixtureApp, "--main", "functions/http.ts", "--with-parent"]);
    await host.url;
    host.child.stdin?.end();
    expect(await host.exited).toBe(0);
  });

  test("ends when the IPC channel to its parent breaks, with --with-parent", async () => {
    const given = ["--app", fixtureApp, "--main", "functions/http.ts", "--with-parent"];
    const host = run(given, "work", "ipc");
    await host.url;
    host.child.disconnect();
    expect(await host.exited).toBe(0);
  });

  test("reads settings from files, and a variable that is already set wins", async () => {
    const file = path.join(await mkdtemp(path.join(tmpdir(), "host-")), "settings.json");
    const Values = { FROM_FILE: "from-file", WORK_QUEUE: "ignored" };
    await writeFile(file, JSON.stringify({ IsEncrypted: false, Values }));
    const app = await temporaryApp({
      "package.json": '{"type":"module","main":"app.ts"}',
      "app.ts": `
        import { app } from "@azure/functions";
        const handler = () => undefined;
        app.timer("t", { schedule: "0 0 0 1 1 *", handler });
        app.get("env", {
          authLevel: "anonymous",
          handler: () => ({ body: process.env.FROM_FILE + " " + process.env.WORK_QUEUE }),
        });`,
    });
    const host = run(["--app", app, "--env", file], "set-already");
    expect(await (await fetch(`${await host.url}/api/env`)).text()).toBe("from-file set-already");
  });
});

describe("A broken app", () => {
  test.each([
    ["without a function", "app.ts", "export {};", /register no function/],
    ["that throws while it loads", "app.ts", 'throw new Error("broken");', /app\.ts .*broken/],
    ["whose main matches no file", "dist/*.js", "", /No file .* matches "dist\/\*\.js"/],
    ["without a main", undefined, "", /has no "main"/],
    [
      "with a trigger that the host does not know",
      "app.ts",
      'import { app } from "@azure/functions"; app.storageBlob("b", { path: "p", connection: "c", handler() {} });',
      /b: The trigger "blobTrigger" is not supported/,
    ],
  ])("%s ends the process with 1 and the reason", async (_, main, code, reason) => {
    const app = await temporaryApp({
      "package.json": JSON.stringify({ type: "module", main }),
      "app.ts": code,
    });
    const host = run(["--app", app]);
    expect(await host.exited).toBe(1);
    expect(await host.errors).toMatch(reason);
  });

  test("wrong arguments end the process with 2 and the usage", async () => {
    const host = run(["--port", "99999", "--app", fixtureApp]);
    expect(await host.exited).toBe(2);
    expect(await host.errors).toMatch(/port[\s\S]*usage: main\.ts/);
  });
});

test("A bundle that contains the library runs like the plain files", async () => {
  const app = await temporaryApp({ "package.json": '{"type":"module","main":"bundle/main.mjs"}' });
  await cp(path.join(fixtureApp, "host.json"), path.join(app, "host.json"));
  const build = await rolldown({
    input: path.join(fixtureApp, "functions", "http.ts"),
    platform: "node",
    external: ["@azure/functions-core"],
  });
  await build.write({
    file: path.join(app, "bundle", "main.mjs"),
    format: "esm",
  });
  await build.close();
  const host = run(["--app", app]);
  expect(await (await fetch(`${await host.url}/api/slow`)).text()).toBe("finished");
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
});
