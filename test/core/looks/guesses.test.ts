import { expect, test } from "vitest";
import {
  addRefusal,
  clearRefusals,
  findGuessPause,
  findRefusal,
  guessWindowMs,
  maxGuesses,
  maxSearchGuesses,
} from "../../../shared/core/looks/guesses.ts";
import type { Refusal } from "../../../shared/core/record/record.ts";
import { hour, minute, plus, second } from "../../../shared/core/time.ts";

const start = "2026-01-01T00:00:00.000Z";

/** So many refusals of different versions, a second apart. */
function refused(count: number, account = "app"): Refusal[] {
  let refusals: Refusal[] = [];
  for (let index = 0; index < count; index++) {
    const at = plus(start, index * second);
    refusals = addRefusal(refusals, { account, version: `v${index}`, at });
  }
  return refusals;
}

test("an account is not tried from the fourth refusal on until the first of them is ten minutes old", () => {
  const now = plus(start, 5 * second);
  expect(findGuessPause(refused(maxGuesses - 1), "app", now)).toBeUndefined();
  expect(findGuessPause(refused(maxGuesses), "app", now)).toBe(plus(start, guessWindowMs));
  expect(
    findGuessPause(refused(maxGuesses), "app", plus(start, guessWindowMs + second)),
  ).toBeUndefined();
});

test("a search for a working secret has one guess less", () => {
  const refusals = refused(maxGuesses - 1);
  const now = plus(start, 5 * second);
  expect(findGuessPause(refusals, "app", now, maxSearchGuesses)).toBe(plus(start, guessWindowMs));
});

test("each account has its own budget, and an accepted log-in renews it", () => {
  const refusals = refused(maxGuesses);
  const now = plus(start, minute);
  expect(findGuessPause(refusals, "other", now)).toBeUndefined();
  expect(findGuessPause(clearRefusals(refusals, "app"), "app", now)).toBeUndefined();
  const version = { account: "app", version: "v0" };
  expect(findRefusal(clearRefusals(refusals, "app"), version, now)).toBeUndefined();
});

test("refused versions are remembered for longer than the pause, but not for ever", () => {
  const refusals = refused(1);
  const version = { account: "app", version: "v0" };
  expect(findRefusal(refusals, version, plus(start, 20 * hour))).toBe(start);
  expect(findRefusal(refusals, version, plus(start, 25 * hour))).toBeUndefined();
});

test("a version refused for days takes no more space than within one pause", () => {
  let refusals = refused(1, "other");
  for (let count = 0; count < 500; count++) {
    const at = plus(start, minute + count * 3 * minute);
    refusals = addRefusal(refusals, { account: "app", version: `v${count % 2}`, at });
  }
  expect(refusals.length).toBeLessThanOrEqual(6);
});
