import fc from "fast-check";
import { type Freeze, type Policy, weekdays } from "../../../shared/core/policy/policy.ts";
import { day, hour, minute } from "../../../shared/core/time.ts";
import { policyWith, zones } from "./sample.ts";

const time = fc
  .integer({ min: 0, max: 47 })
  .map(
    (half) => `${String(Math.floor(half / 2)).padStart(2, "0")}:${half % 2 === 0 ? "00" : "30"}`,
  );

const days = fc.subarray([...weekdays], { minLength: 1 });

const hours: fc.Arbitrary<Partial<Policy>> = fc.oneof(
  fc.record({}),
  fc.record({ days }),
  fc.record({ at: fc.uniqueArray(time, { minLength: 1, maxLength: 3 }) }),
  fc.record({ at: fc.uniqueArray(time, { minLength: 1, maxLength: 2 }), days }),
  fc
    .record({ from: time, to: time })
    .filter(({ from, to }) => from !== to)
    .map((range) => ({ between: [range] })),
  fc
    .record({ days, range: fc.record({ from: time, to: time }) })
    .filter(({ range: { from, to } }) => from !== to)
    .map(({ days, range }) => ({ days, between: [range] })),
  fc
    .constantFrom("30 2 * * *", "0 4 1 * *", "0 4 * * 1", "0 12 1,15 * *", "0 1 1 1 *")
    .map((cron) => ({
      cron,
    })),
);

const freeze: fc.Arbitrary<Freeze> = fc
  .record({ after: fc.integer({ min: 1, max: 700 }), length: fc.integer({ min: 1, max: 20 }) })
  .map(({ after, length }) => {
    const on = (number: number) =>
      new Date(Date.parse("2026-06-01") + number * day).toISOString().slice(0, 10);
    return { from: on(after), to: on(after + length), reason: "x", lift: [] };
  });

const ages = fc.constantFrom(6 * hour, day, 3 * day, 7 * day, 30 * day, 90 * day, 365 * day);

/** Generates valid policies with `every`. Their rotations may be late. */
export const arbitraryPolicy: fc.Arbitrary<Policy> = fc
  .record({
    every: ages,
    part: fc.constantFrom(0, 0, 0.01, 0.1, 0.3, 0.9),
    hours,
    timeZone: fc.constantFrom(...zones),
    spread: fc.constantFrom(undefined, undefined, 20 * minute, 2 * hour, 6 * hour),
    freezes: fc.array(freeze, { maxLength: 2 }),
  })
  .map(({ every, part, hours, timeZone, spread, freezes }) =>
    policyWith({
      every,
      ...(part > 0 && {
        headStart: Math.max(minute, Math.floor((every * part) / minute) * minute),
      }),
      ...hours,
      timeZone,
      ...(spread !== undefined && { spread }),
      ...(freezes.length > 0 && { freeze: freezes }),
    }),
  );
