import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../shared/config/load.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";

const folder = resolve(import.meta.dirname, "../../examples");
const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
/** The complete file needs a CA file beside it, and has a test of its own. */
const examples = readdirSync(folder).filter(
  (file) => file.endsWith(".yaml") && file !== "keyturn.yaml",
);

test.each(examples)("The example %s is valid, without warnings, and has targets", async (file) => {
  const config = await loadConfig(join(folder, file), { rotators });
  expect(config.targets.length).toBeGreaterThan(0);
  expect(config.warnings).toEqual([]);
});
