import { expect, test } from "vitest";
import {
  ignoresFences,
  keepsTheSecretInMemory,
  makesAnotherSecret,
  neverAsks,
  publishesFirst,
} from "./broken.ts";
import { race } from "./races.ts";
import { type How, rotateWithStops, type Worker } from "./stops.ts";
import { kinds } from "./world.ts";

const hows: readonly How[] = ["dies before", "dies after", "loses the reply of"];

/** What the crash tests find, each finding once. */
async function findings(worker: Worker): Promise<string[]> {
  const found = new Set<string>();
  for (const kind of kinds) {
    for (const how of hows) {
      for (let at = 1; at <= 40; at++) {
        const { broken } = await rotateWithStops(kind, [{ at, how }], worker);
        for (const what of broken) found.add(what);
      }
    }
  }
  return [...found];
}

test("the crash tests catch an engine that publishes before it changes the target", async () => {
  expect(await findings(publishesFirst)).toContain(
    "the published credential does not work after vault.write",
  );
});

test("the crash tests catch an engine that keeps the new secret in memory only", async () => {
  expect(await findings(keepsTheSecretInMemory)).toContain(
    "no stored credential works after target.apply",
  );
});

test("the crash tests catch an engine that makes another secret after a crash", async () => {
  expect(await findings(makesAnotherSecret)).toContain("it never settled");
});

test("the crash tests catch an engine that does not ask what is live", async () => {
  expect(await findings(neverAsks)).toContain("it never settled");
});

test("the race tests catch an engine that ignores fences", async () => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    for (const kind of kinds) {
      for (const what of await race(kind, seed, ignoresFences)) found.add(what);
    }
  }
  expect([...found]).toContain("2 secrets for one rotation");
});
