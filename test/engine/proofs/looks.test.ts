import { expect, test } from "vitest";
import { pairAdmin, singleAdmin, singleIdentity } from "../world.ts";
import {
  acceptsNoPassword,
  believesEveryAnswer,
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
  askedAgainAndAgain,
  disturbedBy,
  guessedAgainAndAgain,
  lateChange,
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
    rule: "logs in with what is published before it retires an account",
    probe: disturbedBy("recovers without its last commits", pairAdmin),
    careless: () => retiresFromMemory,
    found: "target.retire took an account away while what is published does not work",
  },
  {
    rule: "asks what prevents an account from logging in before it changes it",
    probe: disturbedBy("is locked", singleAdmin),
    careless: () => ignoresObstacles,
    found: "target.apply changed an account that cannot log in",
  },
  {
    rule: "takes no log-in without a password for a proof",
    probe: disturbedBy("asks for no password", pairAdmin),
    careless: () => acceptsNoPassword,
    found: "vault.write broke what consumers of a pair read",
  },
  {
    rule: "looks for drift again before it changes anything",
    probe: disturbedBy("publishes the other account", pairAdmin),
    careless: looksOnce,
    found: "target.apply broke what consumers of a pair read",
  },
  {
    rule: "changes nothing while the published secret is deleted",
    probe: disturbedBy("secret is deleted", singleAdmin),
    careless: () => forgetsDeletedSecrets,
    found: "target.apply changed an account though nothing can be published",
  },
  {
    rule: "believes that a secret is absent only if the vault says so",
    probe: adoptsBehindAWrongAddress(singleIdentity),
    careless: () => believesEveryAnswer,
    found: "a password was changed though nothing could be read",
  },
  {
    rule: "tries again within seconds after a change that could not be proven",
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
    rule: "makes no more wrong guesses than a server forgives",
    probe: guessedAgainAndAgain,
    careless: () => guessesOnAndOn,
    found: "wrong passwords within ten minutes",
  },
  {
    rule: "limits every list in a record",
    probe: askedAgainAndAgain,
    careless: keepsEveryPhase,
    found: "a rotation outgrows its column",
  },
  {
    rule: "disables pending versions once their outcome is known",
    probe: pendingLeftOver,
    careless: () => keepsPendingVersions,
    found: "a pending version stays enabled",
  },
  {
    rule: "merges what callers write while it works",
    probe: requestMeanwhile,
    careless: () => overwritesRequests,
    found: "a request is lost",
  },
  {
    rule: "tells that a change came after its claim was lost",
    probe: lateChange,
    careless: () => hidesLostClaims,
    found: "nobody is told of a change that came too late",
  },
];

test.each(rules)("the engine $rule", async ({ probe }) => {
  expect(await probe(engine)).toEqual([]);
});

test.each(rules)("the tests catch an engine that does not hold to: $rule", async (one) => {
  expect((await one.probe(one.careless())).join("\n")).toContain(one.found);
});
