import { expect, test } from "vitest";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { load, problemLines } from "../written.ts";

const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
const now = "2026-06-01T00:00:00.000Z";
const clientId = "3f1e0c52-6f5b-4a39-9d1f-0a1b2c3d4e5f";

interface Written {
  readonly policy?: object;
  readonly options?: object;
  readonly target?: object;
}

const write = ({ policy = { every: "90d" }, options = {}, target = {} }: Written) =>
  JSON.stringify({
    version: 1,
    vaults: { main: { url: "https://main.vault.azure.net" } },
    policies: { default: { afterExposure: "4h", ...policy } },
    targets: {
      app: {
        type: "entra-app",
        options: { tenant: clientId, application: clientId, ...options },
        admin: "managed-identity",
        publish: "app",
        ...target,
      },
    },
  });

const errors = (written: Written) => problemLines(load(write(written), rotators, now));
const warnings = async (written: Written) =>
  (await load(write(written), rotators, now)).warnings.map(
    ({ path, message }) => `${path}: ${message}`,
  );

test("a lifetime that lasts through the interval, the grace and the repairs has no finding", async () => {
  expect(await warnings({})).toEqual([]);
  expect(await warnings({ options: { lifetime: "122d" } })).toEqual([]);
});

test("a lifetime with which every rotation would be refused is an error that says what to write", async () => {
  const found = await errors({ options: { lifetime: "121d" } });
  expect(found).toEqual([
    expect.stringContaining(
      "targets.app.options.lifetime: is 121d, but a secret must be valid for more than 121d: up to 90d until the next rotation by policy default, 1d of grace, and 30d for repairs; write lifetime: 122d",
    ),
  ]);
});

test("the advice is followed without another finding", async () => {
  for (const policy of [
    { every: "90d" },
    { every: "200d", days: ["sun"] },
    { cron: "0 3 1 */3 *" },
  ]) {
    const written = { policy, options: { lifetime: "31d" } };
    const found = (await errors(written)).join("\n") || (await warnings(written)).join("\n");
    const [, lifetime = ""] = /write lifetime: (\w+)/.exec(found) ?? [];
    expect(lifetime).toMatch(/^\d+d$/);
    expect(await warnings({ policy, options: { lifetime } })).not.toContainEqual(
      expect.stringContaining("lifetime"),
    );
  }
});

test("the grace of the target counts", async () => {
  const written = { target: { grace: "10d" }, options: { lifetime: "125d" } };
  expect((await errors(written)).join()).toContain("10d of grace");
  expect((await errors(written)).join()).toContain("write lifetime: 131d");
});

test("a lifetime that only late rotations exceed is a warning", async () => {
  const written = { policy: { every: "90d", days: ["sun"] }, options: { lifetime: "125d" } };
  const [found = ""] = (await warnings(written)).filter((one) => one.includes("lifetime"));
  expect(found).toContain("targets.app.options.lifetime: is 125d");
  expect(found).toMatch(/up to 9[56]d/);
  expect(found).toMatch(/write lifetime: 12[78]d/);
});

test("a freeze makes a rotation late, too", async () => {
  const freeze = [{ from: "2026-12-01", to: "2026-12-31", reason: "audit" }];
  const written = { policy: { every: "90d", freeze }, options: { lifetime: "125d" } };
  const [found = ""] = (await warnings(written)).filter((one) => one.includes("lifetime"));
  expect(found).toContain("write lifetime: 15");
});

test("where no longer lifetime is possible, the advice is a shorter interval, which suffices", async () => {
  const written = { policy: { every: "720d" }, options: { lifetime: "730d" } };
  expect((await errors(written)).join()).toContain("use a policy with every: 698d or shorter");
  expect(await warnings({ ...written, policy: { every: "698d" } })).toEqual([]);
});

test("manualOnly is warned about, because nothing replaces the secret in time", async () => {
  const found = await warnings({ policy: { manualOnly: true, afterExposure: undefined } });
  expect(found.join()).toContain(
    "targets.app.options.lifetime: is 180d, and policy default starts no rotation before the system ends a secret (manualOnly)",
  );
});

test("a policy without a schedule has no finding, because the end of the secret makes a rotation due", async () => {
  expect(await warnings({ policy: {}, options: { lifetime: "60d" } })).toEqual([]);
});

test("a lifetime that is too short is reported together with other problems", async () => {
  const written = { options: { lifetime: "121d" }, target: { consumers: ["nobody"] } };
  expect(await errors(written)).toEqual([
    expect.stringContaining("write lifetime: 122d"),
    expect.stringContaining('consumer "nobody" does not exist'),
  ]);
});

test.each([
  ["a policy", { policy: { every: "90d", days: ["someday"] } }],
  ["a grace", { target: { grace: "soon" } }],
  ["a contradictory policy", { policy: { every: "90d", headStart: "91d" } }],
])("%s with a problem leads to no advice about the lifetime", async (_what, more) => {
  const found = await errors({ options: { lifetime: "121d" }, ...more });
  expect(found.length).toBeGreaterThan(0);
  expect(found.join()).not.toContain("lifetime");
});
