import { expect, test } from "vitest";
import { ianaNames } from "../../../shared/core/policy/windows/windows-zones.ts";
import { isTimeZone } from "../../../shared/core/policy/windows/zone.ts";
import { listProblems } from "../written.ts";

const good = `version: 1
vaults:
  main:
    url: https://kv.vault.azure.net
policies:
  default:
    every: 90d
    afterExposure: 4h
targets:
  orders:
    type: relational
    options:
      host: db.example
      port: 5432
    accounts: [app]
    admin: self
    publish: orders-db
`;
const options = "options:\n      host: db.example\n      port: 5432";
const withPolicy = (line: string) => good.replace("every: 90d", `every: 90d\n    ${line}`);

const variables = "Keyturn does not replace variables such as ${NAME}; write the value itself";

test("the file without the mistakes has no problems", async () => {
  expect(await listProblems(good)).toEqual([]);
});

test.each([
  [
    "one account that is not in a list",
    good.replace("[app]", "app"),
    "15:15  targets.orders.accounts: must be a list, in [ ]",
  ],
  [
    "a cron without quotes",
    good.replace("every: 90d", "cron: * * * * *"),
    '7:11  text that begins with * must be in quotes; write cron: "* * * * *"',
  ],
  [
    "a cron with a step and without quotes",
    good.replace("every: 90d", "cron: */5 * * * *"),
    '7:11  text that begins with * must be in quotes; write cron: "*/5 * * * *"',
  ],
  [
    "a cron without quotes between braces",
    good.replace("default:\n    every: 90d\n    afterExposure: 4h", "default: { cron: * 3 * * 1 }"),
    '6:20  text that begins with * must be in quotes; write cron: "* 3 * * 1"',
  ],
  [
    "a pattern without quotes",
    withPolicy("exemptIdentities: [*]"),
    '8:24  text that begins with * must be in quotes; write "*"',
  ],
  [
    "a variable",
    good.replace("db.example", "${DB_HOST}"),
    `13:13  targets.orders.options.host: ${variables}`,
  ],
  [
    "a variable instead of a number",
    good.replace("5432", "${DB_PORT}"),
    `14:13  targets.orders.options.port: ${variables}`,
  ],
  [
    "a variable between braces",
    good.replace(options, "options: { host: ${DB_HOST}, port: 5432 }"),
    `12:22  ${variables}`,
  ],
  [
    "a variable of another tool",
    good.replace("https://kv", "https://$(vault)"),
    `4:10  vaults.main.url: ${variables}`,
  ],
  [
    "an app setting between percent signs",
    good.replace("db.example", "%DB_HOST%"),
    `13:13  ${variables}`,
  ],
  [
    "a brace that is not closed",
    good.replace(options, "options: { host: db.example, port: 5432"),
    "12:14  this { is not closed; add a }",
  ],
  [
    "a bracket that is not closed",
    good.replace("[app]", "[app"),
    "15:15  this [ is not closed; add a ]",
  ],
  [
    "a duration without a unit",
    good.replace("90d", "90"),
    "7:12  policies.default.every: needs a unit; write 90d for days, 90h for hours, 90m for minutes",
  ],
  [
    "a duration in quotes without a unit",
    good.replace("4h", '"4"'),
    "8:20  policies.default.afterExposure: needs a unit; write 4d for days, 4h for hours, 4m for minutes",
  ],
  [
    "an expiry without a unit",
    withPolicy("expiry: 30"),
    "8:13  policies.default.expiry: needs a unit; write 30d for days, 30h for hours, 30m for minutes",
  ],
  [
    "a Windows name of a time zone",
    withPolicy("timeZone: W. Europe Standard Time"),
    "8:15  policies.default.timeZone: must be an IANA time zone, but W. Europe Standard Time is a Windows name; use Europe/Berlin",
  ],
  [
    "policy: for policies:",
    good.replace("policies:", "policy:"),
    '5:1  policy: is not a known key (did you mean "policies"?)',
  ],
  [
    "vault: for vaults:",
    good.replace("vaults:", "vault:"),
    '2:1  vault: is not a known key (did you mean "vaults"?)',
  ],
  [
    "defaults: for targetDefaults:",
    `${good}defaults: { type: relational }\n`,
    '18:1  defaults: is not a known key (did you mean "targetDefaults"?)',
  ],
  [
    "policies as a list",
    good.replace("  default:\n", "  - name: default\n"),
    "5:1  policies: must be a mapping of keys to values",
  ],
  [
    "vaults as a list",
    good.replace("  main:\n", "  - name: main\n"),
    "2:1  vaults: must be a mapping of keys to values",
  ],
  [
    "a number in quotes",
    good.replace("5432", '"5432"'),
    "14:13  targets.orders.options.port: must be a number; write it without quotes",
  ],
  [
    "the version in quotes",
    good.replace("version: 1", 'version: "1"'),
    "1:10  version: must be 1; write it without quotes",
  ],
  [
    "true in quotes",
    good.replace("every: 90d", 'manualOnly: "true"'),
    "7:17  policies.default.manualOnly: must be true; write it without quotes",
  ],
  [
    "a colon without a space in the only line",
    good.replace("every: 90d\n    afterExposure: 4h", "every:90d"),
    '7:5  policies.default: needs a space after the colon: "every: …"',
  ],
  [
    "a colon without a space before other lines",
    good.replace("every: 90d", "every:90d"),
    '7:5  needs a space after the colon: "every: …"',
  ],
  [
    "a variable of a shell",
    good.replace("db.example", "$DB_HOST"),
    "13:13  targets.orders.options.host: Keyturn does not replace variables such as ${NAME}; write the value itself",
  ],
  [
    "a colon without a space in the last line",
    good.replace("publish: orders-db", "publish:orders-db"),
    '17:5  needs a space after the colon: "publish: …"',
  ],
  [
    "a colon without a space between braces",
    good.replace(options, "options: {host:db.example, port: 5432}"),
    '12:15  targets.orders.options["host:db.example"]: needs a space after the colon: "host: …"',
  ],
])("%s is reported once, with the text to write instead", async (_what, text, problem) => {
  expect(text).not.toBe(good);
  expect(await listProblems(text)).toEqual([`keyturn.yaml:${problem}`]);
});

test("dollar signs and braces are allowed in free text", async () => {
  const text = withPolicy('password: { symbols: "${}_-" }').replace(
    "90d\n",
    '90d\n    freeze: [{ from: 2027-01-01, to: 2027-01-02, reason: "ask ${ops}" }]\n',
  );
  expect(await listProblems(text)).toEqual([]);
});

test("every Windows zone name maps to an existing IANA zone", () => {
  expect(Object.values(ianaNames).filter((name) => !isTimeZone(name))).toEqual([]);
});
