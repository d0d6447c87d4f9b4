import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../shared/config/load.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { makeFolder } from "../written.ts";

const page = resolve(import.meta.dirname, "../../../docs/reference/configuration.md");
const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });

/** Returns the code block below a mark in the page. */
async function block(mark: string): Promise<string> {
  const text = await readFile(page, "utf8");
  const [, found = ""] = text.split(`<!-- ${mark} -->`)[1]?.split(/^```.*\n/m) ?? [];
  return found;
}

test("the page lists exactly the problems of its example", async () => {
  const folder = await makeFolder({ "keyturn.yaml": await block("broken") });
  const answer = (await block("answer")).trimEnd();
  await expect(loadConfig(join(folder, "keyturn.yaml"), { rotators })).rejects.toMatchObject({
    message: answer,
  });
});
