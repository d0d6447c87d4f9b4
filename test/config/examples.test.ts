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

/** Policies are simulated from a moment on, and a year has 53 weekends at other dates than the one before. */
const months = Array.from({ length: 13 }, (_, month) =>
  new Date(Date.UTC(2027, month, 1 + month)).toISOString(),
);

test.each(examples)("The example %s is valid, without warnings, and has targets", async (file) => {
  for (const now of [new Date().toISOString(), ...months]) {
    const config = await loadConfig(join(folder, file), { rotators, now });
    expect(config.targets.length).toBeGreaterThan(0);
    expect(config.warnings, now).toEqual([]);
  }
});
