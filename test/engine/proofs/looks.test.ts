import { expect, test } from "vitest";
import { pairAdmin, singleAdmin, singleIdentity } from "../world.ts";
import {
  acceptsNoPassword,
  believesEveryAnswer,
  checksByComparison,
  forgetsDeletedSecrets,
  guessesOnAndOn,
  hidesLostClaims,
  ignoresObstacles,
  keepsEveryPhase,
  keepsPendingVersions,
  looksOnce,
  overwritesRequests,
  retiresFromMemory,
  usesItsOwnClock,
  waitsLong,
} from "./careless.ts";
import {
  adoptsBehindAWrongAddress,
  askRepeatedly,
  disturbedBy,
  guessedAgainAndAgain,
  lateChange,
  lostAfterPublishing,
  pendingLeftOver,
  type Probe,
  racedFor,
  requestMeanwhile,
  unprovenChange,
} from "./probes.ts";
import { engine, type Worker } from "./stops.ts";

interface Rule {
  readonly rule: string;
  readonly probe: Probe;
  /** An engine without the rule. */
  readonly careless: () => Worker;
  readonly found: string;
}

const rules: readonly Rule[] = [
  {
    rule: "logs in with the published secret before it retires an account",
    probe: disturbedBy("recovers without its last commits", pairAdmin),
    careless: () => retiresFromMemory,
    found: "target.retire removed a password while the published secret does not work",
  },
  {
    rule: "checks what prevents an account from logging in before it changes the account",
    probe: disturbedBy("is locked", singleAdmin),
    careless: () => ignoresObstacles,
    found: "target.apply changed an account that cannot log in",
  },
  {
    rule: "does not accept a log-in without a password as proof",
    probe: disturbedBy("requests no password", pairAdmin),
    careless: () => acceptsNoPassword,
    found: "vault.write broke the published secret",
  },
  {
    rule: "checks for drift again before it changes anything",
    probe: disturbedBy("publishes the other account", pairAdmin),
    careless: looksOnce,
    found: "target.apply broke the published secret",
  },
  {
    rule: "changes nothing while the published secret is deleted",
    probe: disturbedBy("secret is deleted", singleAdmin),
    careless: () => forgetsDeletedSecrets,
    found: "target.apply changed an account although nothing can be published",
  },
  {
    rule: "treats a secret as absent only if the vault itself reports that",
    probe: adoptsBehindAWrongAddress(singleIdentity),
    careless: () => believesEveryAnswer,
    found: "a password was changed although nothing could be read",
  },
  {
    rule: "tries again within seconds after an unproven change",
    probe: unprovenChange,
    careless: () => waitsLong,
    found: "consumers are refused for minutes",
  },
  {
    rule: "depends on the clock of the journal only",
    probe: racedFor(singleAdmin),
    careless: usesItsOwnClock,
    found: "secrets for one rotation",
  },
  {
    rule: "logs in with what it published, although the pending secret logged in a moment ago",
    probe: lostAfterPublishing,
    careless: () => checksByComparison,
    found: "consumers are refused after the rotation",
  },
  {
    rule: "makes fewer wrong guesses than lock an account",
    probe: guessedAgainAndAgain,
    careless: () => guessesOnAndOn,
    found: "wrong passwords within ten minutes",
  },
  {
    rule: "limits every list in a record",
    probe: askRepeatedly,
    careless: keepsEveryPhase,
    found: "a rotation outgrows its column",
  },
  {
    rule: "disables pending versions once the outcome of their change is known",
    probe: pendingLeftOver,
    careless: () => keepsPendingVersions,
    found: "a pending version stays enabled",
  },
  {
    rule: "merges requests and reports that callers write while it works",
    probe: requestMeanwhile,
    careless: () => overwritesRequests,
    found: "a request is lost",
  },
  {
    rule: "raises an alarm when it made a change after it lost its claim",
    probe: lateChange,
    careless: () => hidesLostClaims,
    found: "a change that came too late raises no alarm",
  },
];

test.each(rules)("The engine $rule", async ({ probe }) => {
  expect(await probe(engine)).toEqual([]);
});

test.each(rules)("The tests catch an engine that breaks the rule: $rule", async (one) => {
  expect((await one.probe(one.careless())).join("\n")).toContain(one.found);
});
