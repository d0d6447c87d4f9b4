import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planConfig, type PlanQuestion, toUserMessage } from "../../shared/app.ts";
import { makeFolder } from "../config/written.ts";
import { readCalendar } from "./calendar-lines.ts";
import { parsePlan } from "./parse.ts";

const from = "2026-01-01T00:00:00.000Z";
const to = "2027-01-01T00:00:00.000Z";

const target = (id: string) =>
  `  ${id}: { type: postgresql, options: { host: ${id}.example }, accounts: [a], admin: self, publish: ${id} }\n`;

const makeConfig = (policy: string, count = 3) => `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: ${policy} }
targets:
${Array.from({ length: count }, (_, index) => target(`orders-${index}`)).join("")}${target("mails")}`;

const quarterly =
  '{ every: 90d, afterExposure: 4h, headStart: 7d, between: ["22:00-04:00"], timeZone: Europe/Vienna }';

async function plan(
  question: Partial<PlanQuestion>,
  files: Readonly<Record<string, string>> = { "keyturn.yaml": makeConfig(quarterly) },
) {
  const folder = await makeFolder(files);
  return planConfig(
    { config: "keyturn.yaml", format: "text", from, to, ...question },
    folder,
    from,
  );
}

test("a plan shows when each rotation starts, in the time zone of its policy, and why", async () => {
  const { text, warnings } = await plan({ targets: "mails" });
  expect(warnings).toEqual([]);
  expect(text).toMatch(/^\d rotations from 2026-01-01T00:00:00\.000Z to 2027-01-01/);
  expect(text).toMatch(
    / (22|23|00|01|02|03):\d\d Europe\/Vienna {2}mails {3}policy default: due 90d after /,
  );
  expect(text).not.toContain("orders");
});

test("a plan says of a value from people that it is due, and not that Keyturn rotates it", async () => {
  const vendor =
    "  vendor: { type: external, options: { host: api.example }, accounts: [customer], publish: vendor }\n";
  const files = { "keyturn.yaml": makeConfig(quarterly) + vendor };
  expect((await plan({ targets: "vendor" }, files)).text).toMatch(
    /vendor {2}value due \(people\): policy default: due 90d after /,
  );
  expect((await plan({ targets: "mails" }, files)).text).not.toContain("value due");
});

test("a program can read a plan as JSON", async () => {
  const { text } = await plan({ format: "json" });
  const read = JSON.parse(text) as { rotations: { targetId: string; at: string }[] };
  expect(new Set(read.rotations.map(({ targetId }) => targetId)).size).toBe(4);
  expect(read).toMatchObject({ from, to, never: [], tooOld: [] });
});

test("a plan as a calendar follows RFC 5545 and has an event for each rotation", async () => {
  const many = { "keyturn.yaml": makeConfig(quarterly, 30) };
  const json = JSON.parse((await plan({ format: "json" }, many)).text) as {
    rotations: readonly unknown[];
  };
  const events = readCalendar((await plan({ format: "ics" }, many)).text);
  expect(events.length).toBe(json.rotations.length);
  expect(events.map((event) => event["SUMMARY"])).toContain("Rotate orders-29");
});

test("the reader of calendars notices each violation of RFC 5545", async () => {
  const { text } = await plan({ format: "ics" });
  expect(readCalendar(text)).not.toEqual([]);
  const broken = [
    text.replace("\r\n", "\n"),
    text.replaceAll(/^UID:.*$/gm, "UID:same\r"),
    text.replace("END:VEVENT\r\n", ""),
    text.replace("DESCRIPTION:", `DESCRIPTION:${"x".repeat(75)}`),
    text.replace(/DTSTART:.*\r/, "DTSTART:soon\r"),
    text.replace("\\;", ";"),
  ];
  for (const one of broken) expect(() => readCalendar(one)).toThrow();
});

test("a comparison shows how many targets an edit moves, and which", async () => {
  const files = {
    "keyturn.yaml": makeConfig(quarterly),
    "edited.yaml": makeConfig(quarterly.replace("90d", "30d")),
  };
  const { text } = await plan({ against: "edited.yaml" }, files);
  expect(text).toMatch(/^4 targets move earlier, 0 unchanged$/m);
  const json = JSON.parse((await plan({ against: "edited.yaml", format: "json" }, files)).text) as {
    differences: unknown[];
  };
  expect(json.differences).toHaveLength(4);
});

const changedAt = "2025-10-15T12:00:00.000Z";

test("a plan uses the age of each secret in a running app", async () => {
  const targets = new Map([["mails", { facts: { adoptedAt: changedAt, changedAt } }]]);
  const { text } = await plan({ known: { targets, freezes: [] }, targets: "mails" });
  expect(text).toContain(`90d after ${changedAt}`);
});

test("a plan leaves out the freezes and pauses of a running app, and names them", async () => {
  const until = "2026-07-01T00:00:00.000Z";
  const by = "function key";
  const freeze = { by, reason: "audit", from, until, lift: [], selection: { targets: ["mails"] } };
  const paused = { pause: { by, reason: "migration", at: from, until } };
  const targets = new Map([["orders-0", paused]]);
  const { text } = await plan({ known: { targets, freezes: [freeze] } });
  const early = text.split("\n").filter((line) => /^\w{3} 2026-0[1-6]-/.test(line));
  expect(early.join("\n")).toContain("orders-1");
  expect(early.join("\n")).not.toMatch(/mails|orders-0/);
  expect(text).toContain(`frozen until ${until} (audit, set by function key)`);
  expect(text).toContain(`paused by function key until ${until} (migration)`);
});

test.each([
  ["ordres-*", 'No target matches "ordres-*" (did you mean "orders-0"?)'],
  ["mail", 'No target matches "mail" (did you mean "mails"?)'],
  ["billing", 'No target matches "billing"'],
  ["", 'No target matches ""'],
])(
  "a filter %j that no target matches is refused with a similar target",
  async (targets, sentence) => {
    const error: unknown = await plan({ targets }).catch((thrown: unknown) => thrown);
    expect(toUserMessage(error)).toBe(sentence);
  },
);

test("a filter can match targets on only one side of a comparison", async () => {
  const files = {
    "keyturn.yaml": makeConfig(quarterly, 1),
    "edited.yaml": makeConfig(quarterly, 2),
  };
  const { text } = await plan({ against: "edited.yaml", targets: "orders-1" }, files);
  expect(text).toMatch(/^1 target appears, 0 unchanged\n/);
});

test("a plan without an end shows the first rotation of a password with every: 90d", async () => {
  const files = { "keyturn.yaml": makeConfig("{ every: 90d }") };
  const folder = await makeFolder(files);
  const { text } = await planConfig({ config: "keyturn.yaml", format: "text" }, folder, from);
  expect(text).toMatch(
    /^4 rotations from 2026-01-01T00:00:00\.000Z to 2026-04-11T00:00:00\.000Z\n/,
  );
});

test("a plan without rotations names the next rotation after its end", async () => {
  const files = { "keyturn.yaml": makeConfig("{ every: 400d }", 1) };
  const { text } = await plan({}, files);
  expect(text).toMatch(
    /^0 rotations from .*\nNext rotation: (orders-0|mails), Fri 2027-02-05 00:00 UTC {2}policy default: due 400d after /,
  );
});

test("a configuration is rejected with all of its problems", async () => {
  const files = { "keyturn.yaml": makeConfig("{ every: 90d, timeZone: Mars }") };
  const error: unknown = await plan({}, files).catch((thrown: unknown) => thrown);
  expect(toUserMessage(error)).toContain(
    "policies.default.timeZone: must be an IANA time zone such as Europe/Vienna, but is Mars",
  );
});

test("a policy with late rotations causes a warning next to the plan", async () => {
  const { warnings } = await plan(
    {},
    { "keyturn.yaml": makeConfig("{ every: 1d, afterExposure: 4h, days: [sat] }") },
  );
  expect(warnings).toEqual([expect.stringContaining("policies.default.every: is too short")]);
});

test("a relative path starts from the given folder", async () => {
  const folder = await makeFolder({ "sub/other.yaml": makeConfig(quarterly) });
  await writeFile(join(folder, "keyturn.yaml"), "version: 2\n");
  const question = { config: "sub/other.yaml", format: "text", from, to } as const;
  expect((await planConfig(question, folder, from)).text).toContain("mails");
});

test("a comparison includes next rotations after the end of the period", async () => {
  const files = {
    "keyturn.yaml": makeConfig("{ every: 1000d }"),
    "edited.yaml": makeConfig("{ every: 900d }"),
  };
  const { text } = await plan({ against: "edited.yaml" }, files);
  expect(text).toMatch(/^4 targets move earlier, 0 unchanged\n0 rotations instead of 0 from /);
  files["edited.yaml"] = makeConfig("{ every: 12h }");
  const today = await plan({ against: "edited.yaml" }, files);
  expect(today.text).toMatch(/^4 targets move earlier, 4 would rotate today, 0 unchanged\n/);
});

test("a plan shows its limits, and options can change them", async () => {
  const many = { "keyturn.yaml": makeConfig(quarterly, 30) };
  const usual = await plan({}, many);
  expect(usual.text).toContain(
    "\nLimits: 10 rotations in 10s on a server, 300 new versions in 10s",
  );
  expect(usual.text).not.toContain("Limit exceeded");
  const limits = { perVault: { count: 61, within: 60_000 } };
  const { text } = await plan({ limits }, many);
  expect(text).toContain("vault main: 62 at once, the limit is 61");
  expect(text).toContain(
    "\nLimits: 10 rotations in 10s on a server, 61 new versions in 1m in a vault",
  );
});

test("a plan shows the entropy of the passwords of each policy", async () => {
  const { text } = await plan({});
  expect(text).toContain("\nPolicies:\n  default: 4 targets, passwords of 241 bits of entropy\n");
  const json: unknown = JSON.parse((await plan({ format: "json" })).text);
  expect(json).toMatchObject({ policies: [{ name: "default", targets: 4, entropyBits: 241 }] });
});

test("arguments are parsed", async () => {
  const args = "--config c --against d --from 2026-01-01 --to 2026-02-01T10:00:00+01:00 --json";
  expect(await parsePlan(args.split(" "))).toEqual({
    config: "c",
    against: "d",
    from: "2026-01-01T00:00:00.000Z",
    to: "2026-02-01T09:00:00.000Z",
    format: "json",
  });
  const limits = "--per-server 3/1m --per-vault 40/2s";
  expect(await parsePlan(limits.split(" "))).toEqual({
    format: "text",
    limits: { perServer: { count: 3, within: 60_000 }, perVault: { count: 40, within: 2_000 } },
  });
  expect(await parsePlan(["--per-server", "3/1m"])).toMatchObject({
    limits: { perServer: { count: 3, within: 60_000 } },
  });
  const app = "--ics --config c --targets orders-* --app https://app.example --key-env KEY";
  expect(await parsePlan(app.split(" "))).toEqual({
    config: "c",
    format: "ics",
    targets: "orders-*",
  });
});

test.each([
  ["now", "too many arguments"],
  ["--colour", "unknown option"],
  ["--api https://app.example", "unknown option"],
  ["--json --ics", "--json and --ics cannot be combined"],
  ["--config c --ics --against d", "--ics and --against cannot be combined"],
  ["--against d", "--against needs --config"],
  ["--against d --app https://app.example", "--against needs --config"],
  ["--config c --key-env KEY", "With --config, --key-env needs --app"],
  ["--config c --entra", "With --config, --entra needs --app"],
  ["--config c --request-timeout 5s", "With --config, --request-timeout needs --app"],
  ["--per-server many", "--per-server must be"],
  ["--per-vault 0/10s", "--per-vault must be"],
  ["--from tomorrow", "day or an instant"],
  ["--from 2026-02-30", "day or an instant"],
  ["--from 2026-02-01 --to 2026-01-01", "--to must be after --from"],
  ["--targets a --targets b", "more than once"],
  ["--json --json", "more than once"],
])("invalid arguments of plan are rejected: %s", async (written, sentence) => {
  await expect(parsePlan(written.split(" "))).rejects.toThrow(sentence);
});
