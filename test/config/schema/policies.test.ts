import { expect, test } from "vitest";
import { listProblems, load } from "../written.ts";

const hour = 3_600_000;
const day = 24 * hour;

const one = (policy: string) => `version: 1\npolicies:\n  p: ${policy}\n`;

/** Writes a file with the targets `orders` (env: prod) and `mails`, with these policies and fields. */
const two = (policies: string, orders = "", mails = "") => `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies:
${policies}
targets:
  orders: { type: relational, options: { host: DB.example }, accounts: [a], admin: self, publish: orders, tags: { env: prod, owner: shop }${orders} }
  mails: { type: relational, options: { host: mx.example }, accounts: [b], admin: self, publish: mails${mails} }
`;

const everyField = `
    match:
      type: relational
      vault: [main]
      host: ["*.EXAMPLE"]
      owner: shop
      environment: prod
      target: ["ord*"]
      tags: { env: p?od }
    priority: 7
    every: 90d
    headStart: 28d
    days: [sat, sun]
    between: ["22:00-04:00", "12:00-13:00"]
    timeZone: Europe/Vienna
    afterExposure: 4h
    afterIdle: 45d
    exposureIgnoresWindow: true
    exemptIdentities: ["auditor-*"]
    freeze:
      - { from: 2030-12-20, to: 2031-01-06, reason: year end, lift: [exposure, breach] }
      - { from: "2031-03-01T18:00:00Z", to: "2031-03-01T20:00:00Z", reason: release }
    spread: 2h
    password:
      length: 50
      symbols: "-_.~"
      exclude: "xX"
      atLeast: { lower: 2, upper: 3, digits: 4, symbols: 0 }
      noLookAlikes: true
      noRepeats: true
      startWithLetter: false
      forbidden: [shop]
      dialects: [jdbc, uri]
    retry: { attempts: 5, every: 1m, thenEvery: 2h, jitter: 0.5 }
    timeouts: { connect: 2s, change: 30s, verify: 5s }
    grace: 36h
    retire: proof
    adopt: { mode: rotate, delay: 3d }
    expiry: 45d
    verifyEvery: 12h`;

test("every field of a policy is read as written", async () => {
  const { targets, warnings } = await load(
    two(`  p:${everyField}\n  default: { every: 1d, afterExposure: 4h }`),
  );
  expect(warnings).toEqual([]);
  expect(targets[0]?.policy).toEqual({
    name: "p",
    match: {
      type: ["relational"],
      vault: ["main"],
      host: ["*.EXAMPLE"],
      owner: ["shop"],
      environment: ["prod"],
      target: ["ord*"],
      tags: { env: "p?od" },
    },
    priority: 7,
    every: 90 * day,
    headStart: 28 * day,
    days: ["sat", "sun"],
    between: [
      { from: "22:00", to: "04:00" },
      { from: "12:00", to: "13:00" },
    ],
    timeZone: "Europe/Vienna",
    afterExposure: 4 * hour,
    afterIdle: 45 * day,
    exposureIgnoresWindow: true,
    exemptIdentities: ["auditor-*"],
    freeze: [
      { from: "2030-12-20", to: "2031-01-06", reason: "year end", lift: ["exposure", "breach"] },
      { from: "2031-03-01T18:00:00Z", to: "2031-03-01T20:00:00Z", reason: "release", lift: [] },
    ],
    spread: 2 * hour,
    password: {
      length: 50,
      symbols: "-_.~",
      exclude: "xX",
      atLeast: { lower: 2, upper: 3, digits: 4, symbols: 0 },
      noLookAlikes: true,
      noRepeats: true,
      startWithLetter: false,
      forbidden: ["shop"],
      dialects: ["jdbc", "uri"],
    },
    retry: { attempts: 5, every: 60_000, thenEvery: 2 * hour, jitter: 0.5 },
    timeouts: { connect: 2_000, change: 30_000, verify: 5_000 },
    retire: "proof",
    grace: 36 * hour,
    adopt: { mode: "rotate", delay: 3 * day },
    expiry: 45 * day,
    verifyEvery: 12 * hour,
  });
  expect(targets[0]?.policyWhy).toContain("owner shop");
  expect(targets[0]?.policyWhy).toContain("priority 7");
  expect(targets[1]?.policy.name).toBe("default");
  expect(targets[1]?.policiesPassedOver).toEqual([
    { policy: "p", why: "its owner does not match" },
  ]);
});

test.each([
  [
    "appointments",
    '{ every: 1d, headStart: 23h, at: ["02:30", "14:30"] }',
    { at: ["02:30", "14:30"] },
  ],
  ["a cron expression", '{ cron: "30 2 * * 0" }', { cron: "30 2 * * 0" }],
  ["adoption in one word", "{ every: 1d, adopt: rotate }", { adopt: { mode: "rotate" } }],
  ["no expiry", "{ every: 1d, expiry: none }", { expiry: "none" }],
  ["no heartbeat", "{ every: 1d, verifyEvery: none }", { verifyEvery: "none" }],
  ["the usual heartbeat", "{ every: 1d }", { verifyEvery: day }],
  ["idleness alone", "{ afterIdle: 30d }", { afterIdle: 30 * day }],
  ["an exposure alone", "{ afterExposure: 1h }", { afterExposure: hour }],
  ["manual or exposed", "{ manualOnly: true, afterExposure: 0s }", { manualOnly: true }],
])("a policy can have %s", async (_what, policy, expected) => {
  const { targets } = await load(two(`  default: ${policy}`));
  expect(targets[0]?.policy).toMatchObject(expected);
});

test.each([
  [
    "an unknown time zone",
    "{ every: 1d, timeZone: Europe/Wien }",
    "3:29  policies.p.timeZone: must be an IANA time zone such as Europe/Vienna, but is Europe/Wien",
  ],
  [
    "an empty window",
    '{ every: 1d, between: ["22:00-22:00"] }',
    "3:29  policies.p.between[0]: 22:00-22:00 is an empty window; the whole day is 00:00-24:00",
  ],
  [
    "a window that never opens",
    "{ every: 1d, days: [] }",
    "3:19  policies.p.days: is empty, so no window ever opens; remove it",
  ],
  [
    "hours that do not exist",
    '{ every: 1d, between: ["25:00-26:00"] }',
    "3:29  policies.p.between[0]: must be a time of day (HH:MM, midnight is 00:00), but is 25:00",
  ],
  [
    "a head start as long as the age",
    "{ every: 7d, headStart: 7d }",
    "3:30  policies.p.headStart: must be shorter than every (7d), but is 7d; otherwise the next rotation is due at once",
  ],
  [
    "a cron expression with six fields",
    '{ cron: "0 30 2 * * 0" }',
    "3:14  policies.p.cron: must have five fields: minute, hour, day of month, month, day of week",
  ],
  [
    "days beside cron",
    '{ cron: "30 2 * * 0", days: [sun] }',
    "3:28  policies.p.days: cannot be combined with cron, which already sets days and times",
  ],
  [
    "a freeze that is over before it begins",
    "{ every: 1d, freeze: [{ from: 2030-02-01, to: 2030-01-01, reason: x }] }",
    "3:52  policies.p.freeze[0].to: must be after from (2030-02-01), but is 2030-01-01",
  ],
  [
    "a day that does not exist",
    "{ every: 1d, freeze: [{ from: 2030-02-30, to: 2030-03-01, reason: x }] }",
    "3:36  policies.p.freeze[0].from: must be a day such as 2026-12-20 or an instant such as 2026-12-20T18:00:00Z, but is 2030-02-30",
  ],
])("%s is rejected with its position", async (_what, policy, problem) => {
  expect(await listProblems(one(policy))).toEqual([`keyturn.yaml:${problem}`]);
});

test("overlapping freezes that contradict each other are rejected, with the first such moment", async () => {
  const freezes =
    "[{ from: 2030-01-01, to: 2030-01-31, reason: audit }, { from: 2030-01-20, to: 2030-02-10, reason: move, lift: [breach] }]";
  expect(await listProblems(one(`{ every: 1d, freeze: ${freezes} }`))).toEqual([
    expect.stringMatching(
      /^keyturn\.yaml:3:\d+ {2}policies\.p\.freeze\[1\]: is lifted for .*, but overlaps the freeze "audit", .* first at 2030-01-20T00:00:00\.000Z$/,
    ),
  ]);
});

test("a window that is too short causes a warning with the first affected moment", async () => {
  const { warnings } = await load(one("{ every: 1d, days: [sat] }"));
  expect(warnings).toMatchObject([
    {
      path: "policies.p.every",
      line: 3,
      message: expect.stringContaining("; first at 2") as string,
    },
  ]);
});

test("a target that several policies match equally well is rejected", async () => {
  const policies =
    "  a: { every: 1d, match: { owner: shop } }\n  b: { every: 2d, match: { type: rel* } }";
  expect(await listProblems(two(policies, "", ", policy: a"))).toEqual([
    "keyturn.yaml:7:3  targets.orders: policies a and b match with the same priority 0; raise the priority of one of them, or name a policy in the target",
  ]);
  const { targets } = await load(two(policies.replace("2d", "2d, priority: 1"), "", ", policy: a"));
  expect(targets.map(({ policy }) => policy.name)).toEqual(["b", "a"]);
});

test("a target that matches no policy needs a policy named default", async () => {
  expect(await listProblems(two("  a: { every: 1d, match: { owner: shop } }"))).toEqual([
    "keyturn.yaml:7:3  targets.mails: names no policy and matches no policy, and no policy is named default; add a policy named default, or name a policy in the target",
  ]);
});

test("a match that cannot be read is not treated as one that matches nothing", async () => {
  expect(await listProblems(two("  a: { every: 1d, match: { owners: shop } }"))).toEqual([
    'keyturn.yaml:4:28  policies.a.match.owners: is not a known key (did you mean "owner"?)',
  ]);
});

test("a target can override single fields of its policy, with a reason", async () => {
  const overrides =
    ', overrides: { reason: "the shop sleeps", every: 30d, between: ["02:00-03:00"] }';
  const { targets } = await load(two("  default: { every: 90d, spread: 1h }", overrides));
  expect(targets[0]?.policy).toMatchObject({
    name: "default",
    every: 30 * day,
    between: [{ from: "02:00", to: "03:00" }],
    spread: hour,
  });
  expect(targets[0]?.policyWhy).toBe(
    "matches no other policy; between, every set by the target: the shop sleeps",
  );
  expect(targets[1]?.policy.every).toBe(90 * day);
});

test.each([
  ["no reason", "{ every: 30d }", ".reason: is missing"],
  [
    "nothing but a reason",
    "{ reason: x }",
    ": overrides nothing; set a field of the policy, or remove overrides",
  ],
  [
    "a field that cannot be overridden",
    "{ reason: x, priority: 3 }",
    ".priority: is not a known key",
  ],
  [
    "an invalid value",
    "{ reason: x, timeZone: Mars }",
    ".timeZone: must be an IANA time zone such as Europe/Vienna, but is Mars",
  ],
  [
    "a value that contradicts the policy",
    "{ reason: x, every: 1d }",
    ": cause a problem with headStart of the policy: must be shorter than every (1d), but is 2d; otherwise the next rotation is due at once; change the overrides, or use another policy for this target",
  ],
])("overrides with %s are rejected", async (_what, overrides, message) => {
  const policies = "  default: { every: 90d, headStart: 2d }";
  const lines = await listProblems(two(policies, `, overrides: ${overrides}`));
  expect(lines).toEqual([
    expect.stringMatching(/^keyturn\.yaml:6:\d+ {2}targets\.orders\.overrides/),
  ]);
  expect(lines[0]).toContain(`targets.orders.overrides${message}`);
});

test("a grace that is too long is reported as the policy's if the policy sets it", async () => {
  const text = two("  default: { every: 90d, grace: 91d }").replace(
    "[a]",
    "[a, { name: c, initial: c }]",
  );
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:6:3  targets.orders.grace: is 91d by its policy, which is longer than every of the policy (90d); use a shorter grace, because the next rotation needs the other account",
  ]);
});

test("the grace of a policy applies to pairs without a grace of their own", async () => {
  const pair = ", overrides: { reason: x, expiry: none }";
  const text = two("  default: { every: 90d, grace: 3h }", pair)
    .replace("accounts: [a]", "accounts: [a, { name: c, initial: c }]")
    .replace("accounts: [b]", "grace: 2h, accounts: [b, { name: d, initial: d }]");
  const { targets } = await load(text);
  expect(targets.map(({ grace }) => grace)).toEqual([3 * hour, 2 * hour]);
});
