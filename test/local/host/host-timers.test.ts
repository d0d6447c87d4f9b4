import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { parseSchedule } from "../../../local/host/timers/timer-schedule.ts";
import { readStatusAtStart, toStatusAfterRun } from "../../../local/host/timers/timer-status.ts";
import { hostFixture } from "./hosted-fixture.ts";

const never = "0 0 0 29 2 *";
const main = "functions/timers.ts";

describe("A schedule", () => {
  const next = (text: string, after: string) =>
    parseSchedule(text).next(new Date(after)).toISOString();

  test.each([
    ["*/15 * * * * *", "2026-11-22T10:00:01Z", "2026-11-22T10:00:15.000Z"],
    ["0 30 2 * * 6,0", "2026-11-20T10:00:00Z", "2026-11-21T02:30:00.000Z"],
    ["0 0 9-17/4 * * MON-FRI", "2026-11-20T14:00:00Z", "2026-11-20T17:00:00.000Z"],
    ["5/20 * * * * *", "2026-11-22T10:00:06Z", "2026-11-22T10:00:25.000Z"],
    ["0 0 0 1 JAN *", "2026-11-22T10:00:00Z", "2027-01-01T00:00:00.000Z"],
    ["30 4 * * *", "2026-11-22T10:00:00Z", "2026-11-23T04:30:00.000Z"],
  ])("%s after %s fires at %s", (text, after, due) => {
    expect(next(text, after)).toBe(due);
  });

  test("with a day and a weekday wants both to fit", () => {
    expect(next("0 0 0 13 * 5", "2026-11-22T00:00:00Z")).toBe("2027-08-13T00:00:00.000Z");
  });

  test("does not follow the time zone of the machine or its summer time", () => {
    expect(next("0 30 2 * * *", "2026-03-28T12:00:00Z")).toBe("2026-03-29T02:30:00.000Z");
  });

  test.each([
    "",
    "* * *",
    "@daily",
    "0 0 0 L * *",
    "0 0 0 ? * 1",
    "0 0 0 * * 7",
    "0 0 0 * * 1#2",
    "01:00:00",
    "0 0 0 * FOO *",
    "0 0 25 * * *",
  ])("%s is refused, as on Azure", (text) => {
    expect(() => parseSchedule(text)).toThrow();
  });

  test("is frequent when it may come due twice in a minute", () => {
    expect(parseSchedule("*/30 * * * * *").isFrequent).toBe(true);
    expect(parseSchedule("0,59 0 0 * * *").isFrequent).toBe(true);
    expect(parseSchedule("0 * * * * *").isFrequent).toBe(false);
  });
});

describe("The status of a timer", () => {
  const hourly = parseSchedule("0 0 * * * *");
  const at = (time: string) => new Date(`2026-11-22T${time}Z`);
  const known = { last: at("08:00:00"), next: at("09:00:00"), lastUpdated: at("08:00:00") };

  test("is past due only after a missed occurrence", () => {
    expect(readStatusAtStart(known, hourly, at("12:34:00"))).toEqual(known);
    expect(readStatusAtStart(undefined, hourly, at("12:34:00")).next).toEqual(at("13:00:00"));
  });

  test("forgets what was missed when the schedule has changed", () => {
    const halfPast = parseSchedule("0 30 * * * *");
    expect(readStatusAtStart(known, halfPast, at("12:34:00")).next).toEqual(at("13:30:00"));
  });

  test("is past due even if the timer had never run before the host went down", () => {
    const first = readStatusAtStart(undefined, hourly, at("08:30:00"));
    expect(readStatusAtStart(first, hourly, at("11:00:01")).next).toEqual(at("09:00:00"));
  });

  test("moves on past an occurrence that the clock ran a little early", () => {
    const after = toStatusAfterRun(known, hourly, at("08:59:59.990"), true);
    expect(after.next).toEqual(at("10:00:00"));
  });

  test("keeps an occurrence that passed during a long run, so that it runs next", () => {
    const after = toStatusAfterRun(known, hourly, at("09:00:00"), true);
    expect(after.next).toEqual(at("10:00:00"));
  });
});

describe("A timer function", () => {
  test("runs on its schedule, never twice at a time, and at start only when configured", async () => {
    const host = await hostFixture({ main, settings: { TICK_SCHEDULE: "* * * * * *" } });
    await expect.poll(() => host.said("tick").length, { timeout: 20_000 }).toBeGreaterThan(5);
    await host.close();
    const lines = host.said("tick");
    expect(lines).toEqual(lines.map((_, index) => (index % 2 === 0 ? "begin" : "end")));
    expect(lines.at(-1)).toBe("end");
    expect(host.said("at-start")).toHaveLength(1);
    expect(host.said("hourly")).toEqual([]);
  });

  test("makes up for missed occurrences with one run after a restart, which is marked past due", async () => {
    const statusDirectory = await mkdtemp(path.join(tmpdir(), "timers-"));
    const options = { main, statusDirectory, settings: { TICK_SCHEDULE: never } };
    const first = await hostFixture(options);
    await first.close();
    expect(first.said("hourly")).toEqual([]);
    const file = path.join(statusDirectory, "hourly.json");
    const stored = { Last: "2026-01-01T05:00:00Z", Next: "2026-01-01T06:00:00Z" };
    await writeFile(file, JSON.stringify({ ...stored, LastUpdated: stored.Last }));

    const second = await hostFixture(options);
    await second.heard("hourly", "{");
    await second.close();
    expect(second.said("hourly").map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        schedule: { adjustForDST: true },
        scheduleStatus: {
          last: "2026-01-01T05:00:00.000Z",
          next: "2026-01-01T06:00:00.000Z",
          lastUpdated: "2026-01-01T05:00:00.000Z",
        },
        isPastDue: true,
      },
    ]);
    const third = await hostFixture(options);
    await third.close();
    expect(third.said("hourly")).toEqual([]);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      Last: expect.stringMatching(/^20/) as unknown,
    });
    // The status of frequent timers is not kept, and no temporary file is left.
    expect((await readdir(statusDirectory)).toSorted()).toEqual(
      ["at-start.json", "hourly.json", "tick.json"].toSorted(),
    );
  });

  test("can be started by hand, and then has no schedule status", async () => {
    const host = await hostFixture({ main, settings: { TICK_SCHEDULE: never } });
    const response = await fetch(`${host.url}/admin/functions/hourly`, {
      method: "POST",
      headers: { "x-functions-key": host.keys.master },
      body: JSON.stringify({ input: "" }),
    });
    expect(response.status).toBe(202);
    const timer = JSON.parse(await host.heard("hourly", "{")) as unknown;
    expect(timer).toMatchObject({ isPastDue: false, scheduleStatus: null });
    await host.close();
  });

  test("is refused with the reason when its schedule is invalid", async () => {
    const bad = hostFixture({ main, settings: { TICK_SCHEDULE: "every day" } });
    await expect(bad).rejects.toThrow(/tick: "every day" is not a valid NCRONTAB schedule/);
    await expect(hostFixture({ main })).rejects.toThrow(/tick: .*"TICK_SCHEDULE" is missing/);
  });
});
