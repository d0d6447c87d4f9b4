import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { serveOnLoopback } from "../../local/loopback.ts";
import { runCommand } from "./run-command.ts";

const hook = pathToFileURL(join(import.meta.dirname, "fixtures/list-modules.ts")).href;

/** The modules that a command loads, and the packages among them. */
async function loadedBy(args: readonly string[], environment: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-modules-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "modules");
  const nodeArguments = ["--import", hook];
  const ended = await runCommand(args, {
    environment: { ...environment, LOADED_MODULES: file },
    nodeArguments,
  });
  const urls = (await readFile(file, "utf8")).trim().split("\n");
  const names = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { ...ended, files: new Set(urls).size, packages: [...new Set(names)].sort() };
}

/** All that a command for an app may load before it has sent its request. Schemas and SDKs are not among it. */
const light = ["@commander-js/extra-typings", "commander", "leven"];

/** Loads 116 at present, one for each verb among them. A schema library alone has more than the rest. */
const maxFiles = 130;

test("the help loads a few small modules", async () => {
  const { status, files, packages } = await loadedBy(["--help"]);
  expect(status).toBe(0);
  expect(packages).toEqual(light);
  expect(files).toBeLessThan(maxFiles);
});

test("a command for an app loads no schema library, no SDK and no YAML", async () => {
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler: () => () => Promise.resolve({ status: 200, json: { targets: [] } }),
  });
  onTestFinished(() => server.close());
  const { status, stderr, files, packages } = await loadedBy(["targets", "--app", server.url], {
    KEYTURN_KEY: "a-key",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "No target matches.\n" });
  expect(packages).toEqual(light);
  expect(files).toBeLessThan(maxFiles);
});
