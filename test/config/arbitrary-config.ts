import fc from "fast-check";
import type { Policy } from "../../shared/core/policy/policy.ts";
import { formatDuration } from "../../shared/core/time.ts";
import { arbitraryPolicy } from "../core/policy/arbitrary-policy.ts";

/** Generates the fields of a policy as a person writes them. */
function written({ name: _, password: _p, retry: _r, ...fields }: Policy): object {
  const { every, headStart, spread, between } = fields;
  return {
    ...fields,
    ...(every !== undefined && { every: formatDuration(every) }),
    ...(headStart !== undefined && { headStart: formatDuration(headStart) }),
    ...(spread !== undefined && { spread: formatDuration(spread) }),
    ...(between && { between: between.map(({ from, to }) => `${from}-${to}`) }),
  };
}

const policy = arbitraryPolicy.map(written);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const target = fc.record(
  {
    pair: fc.boolean(),
    policy: maybe(fc.constantFrom("default", "first", "second")),
    overrides: maybe(
      fc.oneof(
        policy,
        fc.constantFrom({ every: "20d" }, { afterExposure: "4h" }, { expiry: "9d" }),
      ),
    ),
    tags: fc.dictionary(fc.constantFrom("env", "owner", "é 1"), fc.string({ maxLength: 5 })),
    tls: maybe(fc.constantFrom({ mode: "disable" }, { mode: "verify-full" }, { caFile: "ca.pem" })),
    grace: maybe(fc.constantFrom("0s", "1h")),
  },
  { requiredKeys: ["pair", "tags"] },
);

/** Generates configurations as YAML values. Most have no problems, and many have warnings. */
export const arbitraryConfig: fc.Arbitrary<object> = fc
  .record({
    policies: fc.record({ default: policy, first: policy, second: policy }),
    match: fc.boolean(),
    targets: fc.array(target, { maxLength: 6 }),
    isShared: fc.boolean(),
  })
  .map(({ policies, match, targets, isShared }) => ({
    version: 1,
    vaults: { main: { url: "https://kv.vault.azure.net" } },
    policies: {
      ...policies,
      second: { ...policies.second, ...(match && { match: { tags: { env: "*" } }, priority: 3 }) },
    },
    ...(isShared && { targetDefaults: { tags: { team: "one" }, policy: "first" } }),
    targets: Object.fromEntries(
      targets.map(({ pair, tls, overrides, grace, ...fields }, index) => [
        `t${index}`,
        JSON.parse(
          JSON.stringify({
            type: "relational",
            options: { host: `h${index}`, tls },
            accounts: pair ? ["a", "b"] : [{ name: "a", initial: "first-secret" }],
            admin: { secret: "admin" },
            publish: `t${index}`,
            overrides: overrides && { ...overrides, reason: "x" },
            ...fields,
            ...(pair && { grace }),
          }),
        ) as unknown,
      ]),
    ),
    consumers: {
      api: { type: "webhook", url: "https://api.example/hook", key: { secret: "hook" } },
    },
    notify: [{ type: "event-grid", endpoint: "https://one.eventgrid.azure.net" }],
    retention: "90d",
    ledger: { signWith: { key: "ledger" } },
    api: { require: ["reason", "ticket"], ticketPattern: ["INC*", "CHG*"], limits: { reads: 60 } },
  }));
