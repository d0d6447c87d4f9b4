import { describe, expect, it } from "vitest";
import { defaultLimits } from "../../../shared/core/simulation/limits.ts";
import { simulate, simulateInSteps } from "../../../shared/core/simulation/simulate.ts";
import { day, hour, minute, plus, second } from "../../../shared/core/time.ts";
import { runAtOnce } from "../../../shared/core/work-in-steps.ts";
import { from, plan, target, to } from "./sample.ts";

describe("a plan", () => {
  it("contains the first rotation of each target, also after its end", () => {
    const { targets, rotations } = plan(
      target("far", { every: 500 * day }),
      target("manual", { manualOnly: true }),
      target("near", { every: 50 * day }),
    );
    expect(targets.map(({ id, next }) => [id, next && new Date(next.at).toISOString()])).toEqual([
      ["far", "2027-07-14T00:00:00.000Z"],
      ["manual", undefined],
      ["near", "2026-04-20T00:00:00.000Z"],
    ]);
    expect(targets[2]?.next).toBe(rotations[0]);
    const earlier = target("a", { every: 100 * day });
    const shown = simulate([earlier], {
      from: plus(from, 150 * day),
      to: plus(from, 160 * day),
      limits: defaultLimits,
      knownAt: from,
    });
    expect(shown.rotations).toStrictEqual([]);
    expect(shown.targets[0]?.next?.at).toBe(Date.parse(from) + 200 * day + minute);
  });

  it("contains the number of targets and the password entropy of each policy", () => {
    const password = { length: 30, symbols: "", exclude: "" };
    const one = target("a", { every: day });
    const two = target("b", { every: day });
    const own = { ...one, id: "c", policy: { ...one.policy, password } };
    const other = { ...one, id: "d", policy: { ...one.policy, name: "another" } };
    expect(plan(one, own, two, other).policies).toStrictEqual([
      { name: "another", targets: 1, entropyBits: 241 },
      { name: "test", targets: 1, entropyBits: 178 },
      { name: "test", targets: 2, entropyBits: 241 },
    ]);
  });

  it("with too many rotations is refused with their number and how to reduce it", () => {
    const [one, two] = [target("a", { every: 10 * day }), target("b", { every: 10 * day })];
    const count = plan(one, two).rotations.length;
    const most = (number: number) =>
      simulate([one, two], {
        from,
        to,
        limits: defaultLimits,
        knownAt: from,
        budget: { rotations: number, counted: 3 * number },
      });
    expect(most(count).rotations).toHaveLength(count);
    const late = plus(to, -day);
    expect(() =>
      simulate([one, two], {
        from: late,
        to,
        limits: defaultLimits,
        knownAt: from,
        budget: { rotations: count - 1, counted: 3 * (count - 1) },
      }),
    ).toThrow();
    expect(() => most(count - 1)).toThrow(
      `The period has ${count} rotations; the limit is ${count - 1}. Requested: 2 targets from ${from} to ${to}. Use an earlier \`to\`, or filter with \`targets\``,
    );
  });

  it("that is far too long stops counting and reports where", () => {
    const often = [target("a", { cron: "* * * * *" }), target("b", { every: day })];
    expect(() =>
      simulate(often, {
        from,
        to,
        limits: defaultLimits,
        knownAt: from,
        budget: { rotations: 1_000, counted: 3_000 },
      }),
    ).toThrow(
      `The period has more than 3,000 rotations; the limit is 1,000. Requested: 2 targets from ${from} to ${to}. Counting stopped at 2026-03-03T02:01:00.000Z of target a. Use an earlier \`to\`, or filter with \`targets\``,
    );
  });

  it("uses the sweep interval of the app that makes it", () => {
    const { rotations } = runAtOnce(
      simulateInSteps([target("a", { every: 15 * second })], {
        from,
        to: plus(from, minute),
        limits: defaultLimits,
        sweepEvery: 2 * second,
      }),
    );
    expect(rotations.map(({ at }) => (at - Date.parse(from)) / second)).toStrictEqual([15, 33, 51]);
  });

  it.each([
    ["15s", 15 * second, minute],
    ["45s", 45 * second, minute],
    ["50s", 50 * second, minute],
    ["60s", minute, 2 * minute],
    ["90s", 90 * second, 2 * minute],
    ["1h", hour, hour + minute],
  ])(
    "of a policy with every: %s has a rotation at each sweep that finds it due",
    (_, every, apart) => {
      const { rotations, tooOld } = simulate([target("a", { every })], {
        from,
        to: plus(from, 10 * apart),
        limits: defaultLimits,
      });
      const starts = rotations.map(({ at }) => at);
      const [first = NaN] = starts;
      expect(first).toBe(Date.parse(from) + every);
      expect(starts).toStrictEqual(starts.map((_, index) => first + index * apart));
      expect(tooOld).toStrictEqual([]);
    },
  );
});
