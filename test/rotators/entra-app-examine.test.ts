import { expect, test } from "vitest";
import { appIdentity } from "../../conformance/identity.ts";
import { findBroken, readIsoDuration } from "../../shared/rotators/entra-app/entra-app-rules.ts";
import type { GraphRole } from "../doubles/graph/server.ts";
import { patience, useEntra } from "./entra-app-steps.ts";

const entra = useEntra();
const ruleId = "5b3b7c0e-1d2f-4a5b-8c9d-0e1f2a3b4c5d";
const day = 86_400_000;

async function examine(role: GraphRole = "owner", isProven = false, changed: object = {}) {
  const { bench } = entra;
  const call = { options: bench.optionsWith(changed), account: bench.account, isProven };
  const examined = await bench.rotator(role).examine?.({ ...call, using: appIdentity }, patience());
  if (examined === undefined || examined === "rejected") throw new Error("no examination");
  return examined;
}

test("A healthy application has no obstacles, and the right to change it is likely", async () => {
  expect(await examine()).toEqual({ obstacles: [], right: { is: "likely" } });
  expect(entra.graph.requests.every(({ method }) => method === "GET")).toBe(true);
});

test("An identity that may not even read the application lacks the right", async () => {
  const { right } = await examine("stranger");
  expect(right).toMatchObject({ is: "missing" });
  expect(JSON.stringify(right)).toContain("az ad app owner add");
});

test("An application that does not exist cannot be changed", async () => {
  entra.graph.application.isDeleted = true;
  const { right } = await examine();
  expect(right).toMatchObject({ is: "missing" });
  expect(JSON.stringify(right)).toContain("was deleted");
});

test.each<[string, object]>([
  [
    "Microsoft has disabled",
    { disabledByMicrosoftStatus: "DisabledDueToViolationOfServicesAgreement" },
  ],
  ["accountEnabled=true", { accountEnabled: false }],
  ["az ad sp create", { accountEnabled: undefined }],
])(
  "What prevents log-ins is an obstacle, unless one has just succeeded: %s",
  async (words, state) => {
    Object.assign(entra.graph.application, state);
    expect((await examine()).obstacles).toEqual([expect.stringContaining(words)]);
    expect((await examine("owner", true)).obstacles).toEqual([]);
  },
);

test("Rules of the application are warnings if the identity may read them", async () => {
  entra.graph.application.policy = { id: ruleId, mostDays: 90, forbidsSecrets: true };
  const { warnings, right } = await examine("ruler");
  expect(warnings).toEqual([
    expect.stringContaining("forbids new secrets"),
    expect.stringContaining("permits secrets for 90d at most"),
  ]);
  expect(right).toEqual({ is: "likely" });
  expect((await examine("ruler", false, { lifetime: "90d" })).warnings).toHaveLength(1);
  expect((await examine("owner")).warnings).toBeUndefined();
});

const restricting = (more: object = {}) => ({
  passwordCredentials: [
    { restrictionType: "passwordLifetime", state: "enabled", maxLifetime: "P30D", ...more },
    { restrictionType: "symmetricKeyLifetime", state: "enabled", maxLifetime: "P1D" },
  ],
});

test("Rules of the tenant are warnings, too", async () => {
  entra.graph.directory.tenantRules = { isEnabled: true, applicationRestrictions: restricting() };
  expect((await examine("ruler")).warnings).toHaveLength(1);
});

test.each<[string, object, object, number]>([
  ["of the tenant", {}, { isEnabled: true, applicationRestrictions: restricting() }, 1],
  [
    "of the tenant, switched off",
    {},
    { isEnabled: false, applicationRestrictions: restricting() },
    0,
  ],
  [
    "that is disabled",
    {},
    { isEnabled: true, applicationRestrictions: restricting({ state: "disabled" }) },
    0,
  ],
  [
    "for newer applications",
    {},
    {
      isEnabled: true,
      applicationRestrictions: restricting({
        restrictForAppsCreatedAfterDateTime: "2026-01-01T00:00:00Z",
      }),
    },
    0,
  ],
  [
    "for older applications, too",
    {},
    {
      isEnabled: true,
      applicationRestrictions: restricting({
        restrictForAppsCreatedAfterDateTime: "2019-01-01T00:00:00Z",
      }),
    },
    1,
  ],
  [
    "without a readable length",
    {},
    { isEnabled: true, applicationRestrictions: restricting({ maxLifetime: "P1Y" }) },
    0,
  ],
  [
    "of the application, which replace those of the tenant",
    { value: [{ isEnabled: true, restrictions: {} }] },
    { isEnabled: true, applicationRestrictions: restricting() },
    0,
  ],
  [
    "of the application, switched off",
    { value: [{ isEnabled: false, restrictions: {} }] },
    { isEnabled: true, applicationRestrictions: restricting() },
    1,
  ],
  ["of nobody", {}, {}, 0],
])("A rule %s", (_, own, tenant, count) => {
  const createdDateTime = "2025-01-01T00:00:00Z";
  expect(findBroken({ own, tenant }, { createdDateTime, lifetime: 90 * day })).toHaveLength(count);
});

test.each([
  ["P90D", 90 * day],
  ["P4DT12H30M5S", 4 * day + 45_005_000],
  ["PT1H", 3_600_000],
  ["PT1.5S", 1_000],
  ["P", undefined],
  ["PT", undefined],
  ["P1DT", undefined],
  ["P3M", undefined],
  ["90", undefined],
] as const)("The duration %s has %s milliseconds", (text, length) => {
  expect(readIsoDuration(text)).toBe(length);
});

test("An application without owners has a warning with the command that adds one", async () => {
  Object.assign(entra.graph.application, { owners: [] });
  expect((await examine()).warnings).toEqual([expect.stringContaining("az ad app owner add")]);
});
