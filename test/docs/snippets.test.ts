import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkConfig, planConfig } from "../../shared/app.ts";
import { parsePlan } from "../cli/parse.ts";
import {
  allBlocks,
  type Block,
  folderFor,
  formatPlace,
  isComplete,
  listBlocks,
  read,
  root,
} from "./blocks.ts";

/** What a reader's file has around a part that a page shows. */
const around: Readonly<Record<string, string>> = {
  vaults: "vaults: { main: { url: https://kv-orders.vault.azure.net } }",
  policies: "policies: { default: { every: 90d, afterExposure: 4h } }",
  targets: [
    "targets:",
    "  some-db:",
    "    type: postgresql",
    "    options: { host: some.example.com }",
    "    accounts: [some]",
    "    admin: self",
    "    publish: some-db",
  ].join("\n"),
};

function completed(block: Block): string {
  if (isComplete(block)) return block.text;
  const given = Object.keys(parse(block.text) as object);
  const missing = Object.entries(around).filter(([key]) => !given.includes(key));
  return ["version: 1", ...missing.map(([, text]) => text), block.text].join("\n");
}

const configurations = allBlocks.filter(({ language }) => language === "yaml");

test.each(configurations.map((block) => [formatPlace(block), completed(block)]))(
  "the configuration at %s has no problems and no warnings",
  async (_, text) => {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-snippet-"));
    try {
      await writeFile(join(folder, "keyturn.yaml"), text);
      expect((await checkConfig("keyturn.yaml", folder)).warnings).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test("the quick start shows what the check of its configuration prints", async () => {
  const shown = listBlocks("docs/quickstart.md").find(({ text }) => text.includes("is valid"));
  const folder = await folderFor("docs/quickstart.md");
  const check = [join(root, "cli/main.ts"), "check", "--config", "keyturn.yaml"];
  const { stdout } = spawnSync(process.execPath, check, { cwd: folder, encoding: "utf8" });
  await rm(folder, { recursive: true });
  expect(shown?.text).toBe(stdout);
});

test("the page about policies shows what the comparison of its edit prints", async () => {
  const shown = listBlocks("docs/how-to/change-a-policy.md").find(({ text }) =>
    text.includes("moves earlier"),
  );
  const folder = await folderFor("docs/how-to/change-a-policy.md");
  const [example, edited] = [join("examples", "keyturn.yaml"), "edited.yaml"];
  const text = read(example).replaceAll("every: 30d", "every: 14d");
  await writeFile(join(folder, edited), text);
  const question = await parsePlan(["--config", example, "--against", edited]);
  const plan = await planConfig(
    { ...question, config: example },
    folder,
    "2026-11-26T14:17:09.617Z",
  );
  await rm(folder, { recursive: true });
  // A long line is cut where the page has an ellipsis.
  const lines = shown?.text.trimEnd().split("\n") ?? [];
  const printed = plan.text.split("\n");
  expect(lines.map((line, at) => printed[at]?.startsWith(line.replace(/…$/, "")))).toEqual(
    lines.map(() => true),
  );
});

test("the README shows lines that the console of npm start prints", () => {
  const console = read("local/start/console/lines.ts") + read("local/start/console/words.ts");
  const lines = read("README.md").match(/^\d\d:\d\d:\d\d .*$/gm) ?? [];
  const texts = lines.map((line) => line.split(/ {2,}/).at(-1) ?? "");
  // These two name an account and a version.
  const fixed = texts.filter((text) => !/^new password for |is published as version /.test(text));
  expect(fixed.length).toBeGreaterThan(2);
  expect(fixed.filter((text) => !console.includes(`"${text}"`))).toEqual([]);
});
