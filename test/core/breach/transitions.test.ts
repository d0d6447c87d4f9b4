import { describe, expect, test } from "vitest";
import type { Breach } from "../../../shared/core/breach/breach.ts";
import {
  cancel,
  type Changed,
  confirm,
  pause,
  resume,
} from "../../../shared/core/breach/transitions.ts";
import { minute, plus } from "../../../shared/core/time.ts";
import { leanBreach } from "../../stores/full-breaches.ts";
import { now } from "./candidates.ts";

const origin = { by: "ada" };
const later = plus(now, 10 * minute);

const running: Breach = {
  ...leanBreach("01JNN1"),
  state: "running",
  confirmed: { by: "ada", at: now },
  nextAt: later,
};
const paused: Breach = { ...running, state: "paused" };
const ended: Breach = { ...leanBreach("01JNN1"), state: "ended", endedAt: now };

const breachOf = (changed: Changed) => {
  if ("refused" in changed) throw new Error(changed.refused);
  return changed.breach;
};

describe("A person's change of a breach", () => {
  test.each([
    ["pause", pause(running, origin, now)],
    ["resume", resume(paused, origin, now)],
    ["cancel", cancel(running, origin, now)],
  ])("%s lets a worker take a turn at once, whenever the next one was due", (_, changed) => {
    expect(breachOf(changed).nextAt).toBe(now);
  });

  test.each([
    ["pause", pause(ended, origin, now)],
    ["resume", resume(ended, origin, now)],
    ["cancel", cancel(ended, origin, now)],
  ])("%s after the end is refused in the same words", (_, changed) => {
    expect(changed).toEqual({ refused: "Breach 01JNN1 cannot be changed so: it has ended." });
  });

  test.each([
    ["pause", paused, pause(paused, origin, now)],
    ["resume", running, resume(running, origin, now)],
    ["confirm", running, confirm(running, { ...origin, force: false, liftFreezes: false }, now)],
  ])("%s a second time changes nothing", (_, before, changed) => {
    expect(breachOf(changed)).toBe(before);
  });

  test("confirming it again in another way is refused", () => {
    const again = confirm(running, { ...origin, force: true, liftFreezes: false }, now);
    expect(again).toMatchObject({ refused: expect.stringContaining("other values") as string });
  });
});
