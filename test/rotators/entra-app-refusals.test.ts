import { expect, test } from "vitest";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { graphErrors, type GraphRole } from "../doubles/graph/server.ts";
import { type Kind, useEntra } from "./entra-app-steps.ts";

const entra = useEntra();

const ruleId = "5b3b7c0e-1d2f-4a5b-8c9d-0e1f2a3b4c5d";

function rule(limits: object) {
  return () => {
    entra.graph.application.policy = { id: ruleId, ...limits };
  };
}

function refusing(effect: "add" | "read", refusal: object) {
  return () => entra.graph.faults.on(effect, { do: "refuse", with: refusal });
}

test.each<[string, () => void, Kind, string]>([
  [
    "a deleted application",
    () => (entra.graph.application.isDeleted = true),
    ChangeRefusedError,
    "was deleted",
  ],
  [
    "a rule that forbids secrets",
    rule({ forbidsSecrets: true }),
    ChangeRefusedError,
    `(policy ${ruleId}) forbids secrets`,
  ],
  [
    "a rule on the lifetime",
    rule({ mostDays: 30 }),
    ChangeRefusedError,
    `(policy ${ruleId}) does not permit secrets that are valid for 180d`,
  ],
  ["an application that is full", refusing("add", graphErrors.full), ChangeRefusedError, "no room"],
  [
    "a limit without a code",
    refusing("add", graphErrors.twoOnly),
    ChangeRefusedError,
    "as many secrets",
  ],
  [
    "an unknown refusal",
    refusing("add", graphErrors.badRequest("no")),
    ChangeRefusedError,
    "status 400",
  ],
  [
    "missing rights",
    refusing("add", graphErrors.noRights),
    ChangeRefusedError,
    "az ad app owner add",
  ],
  [
    "an expired token",
    refusing("add", graphErrors.badToken),
    TargetUnavailableError,
    "refuses the token",
  ],
  [
    "throttling",
    refusing("add", graphErrors.throttled(7)),
    TargetUnavailableError,
    "no more requests",
  ],
  [
    "an overloaded directory",
    refusing("read", graphErrors.overloaded),
    TargetUnavailableError,
    "at the moment",
  ],
  [
    "long throttling of the list",
    refusing("read", graphErrors.throttled(60)),
    TargetUnavailableError,
    "no more requests",
  ],
  [
    "a proxy before the list",
    refusing("read", { ...graphErrors.internal, page: "<html>" }),
    TargetUnavailableError,
    "not from Microsoft Graph",
  ],
  [
    "a proxy before the addition",
    refusing("add", { ...graphErrors.internal, page: "<html>" }),
    OutcomeUnknownError,
    "not from Microsoft Graph",
  ],
  ["a conflict", refusing("add", graphErrors.conflict), OutcomeUnknownError, "status 409"],
  ["a fault of Graph", refusing("add", graphErrors.internal), OutcomeUnknownError, "status 500"],
  [
    "a request that is cut",
    () => entra.graph.faults.on("add", { do: "reset-before-effect" }),
    OutcomeUnknownError,
    "the connection was",
  ],
])(
  "%s ends it in the right kind of error, with one request at most",
  async (_, arm, kind, words) => {
    arm();
    await entra.fails(entra.mint(), kind, words);
    expect(entra.sent("/addPassword").length).toBeLessThanOrEqual(1);
    expect(entra.bench.ids()).toEqual([]);
  },
);

test.each<[GraphRole, Kind, string]>([
  ["stranger", ChangeRefusedError, "Application.ReadWrite.OwnedBy"],
  ["reader", ChangeRefusedError, "az ad app owner add"],
  ["forged", TargetUnavailableError, "refuses the token"],
])("the identity of a %s adds nothing", async (role, kind, words) => {
  await entra.fails(entra.mint({ role }), kind, words);
  expect(entra.bench.ids()).toEqual([]);
});
