import { expect, test } from "vitest";
import { load, withTarget } from "../written.ts";

const listWarnings = async (policies: string, fields = {}) => {
  const text = withTarget(fields).replace(/^policies: .*$/m, `policies: ${policies}`);
  return (await load(text)).warnings.map(({ path, message }) => `${path}: ${message}`);
};

test("one warning names a policy under which a reported breach has no effect", async () => {
  expect(await listWarnings("{ default: { every: 90d }, unused: { every: 1d } }")).toEqual([
    "policies.default: has no afterExposure: reporting an exposure or breach of its 1 target has no effect; add afterExposure, such as 4h",
  ]);
});

test.each([
  ["sets afterExposure", "{ default: { every: 90d, afterExposure: 4h } }", {}],
  ["sets manualOnly", "{ default: { manualOnly: true } }", {}],
  [
    "gets afterExposure from the target",
    "{ default: { every: 90d } }",
    { overrides: { reason: "x", afterExposure: "4h" } },
  ],
])("a policy that %s causes no warning", async (_what, policies, fields) => {
  expect(await listWarnings(policies, fields)).toEqual([]);
});

test("a warning names a policy whose only schedule is afterIdle", async () => {
  expect(await listWarnings("{ default: { afterIdle: 30d, afterExposure: 4h } }")).toEqual([
    "policies.default: has no schedule besides afterIdle: its 1 target is not rotated before a use of the secret is reported; add every or cron",
  ]);
});
