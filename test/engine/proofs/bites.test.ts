import { expect, test } from "vitest";
import { kinds, mintedSilent, severalSingle } from "../world.ts";
import {
  changesUnannounced,
  forgetsOpenRequests,
  ignoresFences,
  keepsTheSecretInMemory,
  leavesHalfChanged,
  logsAfterwards,
  makesAnotherSecret,
  neverAsks,
  publishesFirst,
} from "./broken.ts";
import { disturbances } from "./disturbances.ts";
import { rotateDisturbed } from "./disturbed.ts";
import { delays, rotateLate } from "./late.ts";
import { race } from "./races.ts";
import { hows, rotateWithStops, type Worker } from "./stops.ts";

/** Whether the crash tests find this problem with an engine. Ends at the first stop that shows the problem. */
async function find(worker: Worker, what: string): Promise<boolean> {
  for (const kind of kinds) {
    for (const how of hows) {
      for (let at = 1; at <= 40; at++) {
        const { broken } = await rotateWithStops(kind, [{ at, how }], worker);
        if (broken.includes(what)) return true;
      }
    }
  }
  return false;
}

test("The crash tests catch an engine that publishes before it changes the target", async () => {
  expect(
    await find(publishesFirst, "the published credential does not work after vault.write"),
  ).toBe(true);
});

test("The crash tests catch an engine that keeps the new secret in memory only", async () => {
  expect(await find(keepsTheSecretInMemory, "no stored credential works after target.apply")).toBe(
    true,
  );
});

test("The crash tests catch an engine that creates another secret after a crash", async () => {
  expect(await find(makesAnotherSecret, "it never settled")).toBe(true);
});

test("The crash tests catch an engine that does not check which secret is live", async () => {
  expect(await find(neverAsks, "it never settled")).toBe(true);
});

test("The crash tests catch an engine that changes the target before it writes to the journal", async () => {
  expect(await find(changesUnannounced, "it never settled")).toBe(true);
});

test("The crash tests catch an engine that writes to the ledger after the effect", async () => {
  const what = "the ledger has not exactly one entry of the end";
  expect(await find(logsAfterwards, what)).toBe(true);
});

test("The disturbances catch an engine that leaves an account half-changed on several servers", async () => {
  const down = disturbances.find(
    ({ name }) => name === "one of several servers is down for an hour",
  );
  const found = new Set<string>();
  for (let at = 1; down && at <= 40; at++) {
    const { broken } = await rotateDisturbed(severalSingle, down, at, {
      worker: leavesHalfChanged,
    });
    for (const one of broken) found.add(one);
  }
  expect([...found]).toEqual(["the published secret does not work at a server without trouble"]);
});

test("The tests with a late request catch an engine that publishes before an earlier request has ended", async () => {
  const found = new Set<string>();
  for (const after of delays) {
    for (let at = 1; at <= 6; at++) {
      const { broken } = await rotateLate(mintedSilent, [{ at, after }], {
        worker: forgetsOpenRequests,
      });
      for (const one of broken) found.add(one);
    }
  }
  expect([...found]).toContain("the published credential does not work after a late request");
});

test("The race tests catch an engine that ignores fences", async () => {
  let caught = false;
  for (let seed = 1; seed <= 40 && !caught; seed++) {
    for (const kind of kinds) {
      const broken = await race(kind, seed, ignoresFences);
      caught ||= broken.includes("2 secrets for one rotation");
    }
  }
  expect(caught).toBe(true);
});
