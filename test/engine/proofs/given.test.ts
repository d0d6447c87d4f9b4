import { expect, test } from "vitest";
import {
  forgetsExposedVersions,
  forgetsWaitingUndos,
  givesImportsUp,
  ignoresThePair,
  makesNoCopy,
  setsWithoutAsking,
} from "./careless-given.ts";
import {
  downForDays,
  importOfPublished,
  seenMeanwhile,
  setMeanwhile,
  undoBeyondGrace,
  undoGivenUp,
} from "./given-probes.ts";
import type { Probe } from "./probes.ts";
import { engine, type Worker } from "./stops.ts";

interface Rule {
  readonly rule: string;
  readonly probe: Probe;
  /** An engine without the rule. */
  readonly careless: Worker;
  readonly found: string;
}

const rules: readonly Rule[] = [
  {
    rule: "tries an imported secret before it sets the secret",
    probe: setMeanwhile,
    careless: setsWithoutAsking,
    found: "Keyturn set a secret that the target had",
  },
  {
    rule: "keeps an imported secret until the target has said whether it has the secret",
    probe: downForDays,
    careless: givesImportsUp,
    found: "no stored credential works",
  },
  {
    rule: "does not change the published account of a pair for an import",
    probe: importOfPublished,
    careless: ignoresThePair,
    found: "the published credential does not work after target.apply",
  },
  {
    rule: "does not publish a secret again that somebody has seen",
    probe: seenMeanwhile,
    careless: forgetsExposedVersions,
    found: "an exposed secret is published again",
  },
  {
    rule: "does not retire the account that an undo will publish",
    probe: undoBeyondGrace,
    careless: forgetsWaitingUndos,
    found: "the account of an accepted undo was retired",
  },
  {
    rule: "disables only a copy of the previous secret when an undo fails",
    probe: undoGivenUp,
    careless: makesNoCopy,
    found: "an undo lost the previous secret",
  },
];

test.each(rules)("The engine $rule", async ({ probe }) => {
  expect(await probe(engine)).toEqual([]);
});

test.each(rules)("The tests catch an engine that breaks the rule: $rule", async (one) => {
  expect((await one.probe(one.careless)).join("\n")).toContain(one.found);
});
