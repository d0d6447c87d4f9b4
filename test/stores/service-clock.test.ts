import { beforeEach, describe, expect, test } from "vitest";
import { hour, minute, second } from "../../shared/core/time.ts";
import { makeServiceClock, type ServiceClock } from "../../shared/stores/table/service-clock.ts";

const start = Date.parse("2026-03-01T10:00:00.000Z");
const header = (time: number) => new Date(time).toUTCString();

/** Real time. A test makes the clocks of the machine differ from it. */
let real: number;
let machine: { wall: number; steady: number };
let clock: ServiceClock;

/** `how` says which clocks of the machine notice. */
function pass(milliseconds: number, how: { wall?: boolean; steady?: boolean } = {}): void {
  const { wall = true, steady = true } = how;
  real += milliseconds;
  if (wall) machine.wall += milliseconds;
  if (steady) machine.steady += milliseconds;
}

/** The answer has this date; null: none. */
function ask(date: string | null = header(real)): void {
  const answered = clock.sent();
  pass(40);
  answered(date ?? undefined);
}

/** Milliseconds by which the clock is ahead of real time. */
const ahead = () => clock.now().getTime() - real;

beforeEach(() => {
  real = start;
  machine = { wall: start, steady: 5_000 };
  clock = makeServiceClock({ wall: () => machine.wall, steady: () => machine.steady });
});

test("before the first answer, it is the clock of the machine", () => {
  machine.wall = start - 10 * minute;
  expect(clock.now()).toEqual(new Date(start - 10 * minute));
  ask("none of a date");
  ask(null);
  expect(clock.now()).toEqual(new Date(machine.wall));
});

describe.each([
  ["right", 0],
  ["an hour behind", -hour],
  ["ten minutes ahead", 10 * minute],
])("on a machine whose clock is %s", (_how, off) => {
  beforeEach(() => {
    machine.wall += off;
  });

  test("it follows the clock of the service, to the second, and continues from there", () => {
    ask();
    expect(Math.abs(ahead())).toBeLessThan(second);
    pass(10 * minute);
    expect(Math.abs(ahead())).toBeLessThan(second);
  });

  test("many answers do not make it less exact, and it never runs ahead", () => {
    for (let round = 0; round < 200; round++) {
      ask();
      expect(ahead()).toBeLessThanOrEqual(0);
      expect(ahead()).toBeGreaterThan(-1_100);
      pass(3_333);
    }
    expect(ahead()).toBeGreaterThan(-100);
  });

  test("an answer without a valid date changes nothing", () => {
    ask();
    const before = ahead();
    const odd = [
      "",
      "soon",
      "0",
      "2026-03-01T11:00:00Z",
      "Sun, 99 Mar 2026 10:00:00 GMT",
      "x".repeat(99),
    ];
    for (const date of [null, ...odd]) {
      ask(date);
      expect(ahead()).toBe(before);
    }
  });

  test("an answer that is older than an earlier one does not turn it back", () => {
    pass(2 * minute);
    ask();
    const before = ahead();
    for (const late of [minute, hour, 5 * second]) {
      ask(header(real - late));
      expect(ahead()).toBe(before);
    }
  });

  test("a cached answer does not turn it back, however often it comes", () => {
    const cached = header(real);
    ask();
    for (let round = 0; round < 30; round++) {
      pass(10 * second);
      ask(cached);
      expect(Math.abs(ahead())).toBeLessThan(1_100);
    }
  });

  test("it continues while the process is suspended and only the time of day continues", () => {
    ask();
    pass(hour, { steady: false });
    expect(Math.abs(ahead())).toBeLessThan(1_100);
    ask();
    pass(minute);
    expect(Math.abs(ahead())).toBeLessThan(1_100);
  });

  test("an answer requested before the process was suspended loses no time", () => {
    ask();
    const answered = clock.sent();
    const date = header(real);
    pass(hour, { steady: false });
    answered(date);
    expect(Math.abs(ahead())).toBeLessThan(1_100);
  });

  test("the next answer corrects a sleep that no clock of the machine has noticed", () => {
    ask();
    pass(hour, { steady: false, wall: false });
    ask();
    expect(Math.abs(ahead())).toBeLessThan(1_100);
  });

  test("the next answer corrects a change of the time of day", () => {
    ask();
    for (const jump of [3 * hour, -5 * hour, 400 * 24 * hour]) {
      machine.wall += jump;
      ask();
      expect(Math.abs(ahead())).toBeLessThan(1_100);
    }
  });
});

test("a machine clock that runs too fast does not separate it from the service for ever", () => {
  ask();
  for (let hours = 0; hours < 240; hours++) {
    for (let minutes = 0; minutes < 60; minutes++) {
      pass(minute);
      // Fifty parts in a million.
      machine.steady += 3;
      ask();
      expect(Math.abs(ahead())).toBeLessThan(3 * second);
    }
  }
});

test("answers that agree for half a minute count, although they are behind", () => {
  ask(header(real + hour));
  expect(ahead()).toBeGreaterThan(hour - 1_100);
  for (let round = 0; round < 7; round++) {
    ask();
    pass(5 * second);
  }
  expect(Math.abs(ahead())).toBeLessThan(1_100);
});
