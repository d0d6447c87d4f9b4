import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reporter, Vitest } from "vitest/node";
import { describeUses } from "./table.ts";
import { type Use, usesVariable } from "./uses.ts";

/** Prints which servers were real and which were doubles, from what the workers of this run wrote down. */
export default class ServersReporter implements Reporter {
  private folder = "";
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
    this.folder = mkdtempSync(join(tmpdir(), "keyturn-uses-"));
    // Workers inherit it.
    process.env[usesVariable] = this.folder;
    process.once("exit", () => {
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  onTestRunEnd(): void {
    const files = readdirSync(this.folder).map((name) => join(this.folder, name));
    const lines = files.flatMap((file) => readFileSync(file, "utf8").trim().split("\n"));
    // In watch mode, another run follows.
    for (const file of files) rmSync(file);
    const uses = lines.map((line) => JSON.parse(line) as Use);
    const table = describeUses(uses, this.vitest?.config.root ?? "");
    if (table.length > 0) this.vitest?.logger.log(`\n${table.join("\n")}`);
  }
}
