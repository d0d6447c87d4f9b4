import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeNextDue } from "../../../shared/core/policy/due/schedule.ts";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import { defaultLimits } from "../../../shared/core/simulation/limits.ts";
import { describeWhy, type SimulatedTarget } from "../../../shared/core/simulation/model.ts";
import { simulate } from "../../../shared/core/simulation/simulate.ts";
import { day, hour, minute, plus, second } from "../../../shared/core/time.ts";
import { policyWith } from "../policy/sample.ts";

const from = "2026-03-01T00:00:00.000Z";
const to = "2026-07-01T00:00:00.000Z";

function target(
  id: string,
  fields: Partial<Policy>,
  more: Partial<SimulatedTarget> = {},
): SimulatedTarget {
  return {
    id,
    policy: policyWith(fields),
    facts: { changedAt: from },
    vault: "main",
    server: "db1",
    ...more,
  };
}

function plan(...targets: SimulatedTarget[]) {
  return simulate(targets, { from, to, limits: defaultLimits });
}

function listStarts(simulation: ReturnType<typeof plan>): string[] {
  return simulation.rotations.map(
    (rotation) => `${new Date(rotation.at).toISOString()} ${rotation.target.id}`,
  );
}

describe("a simulation", () => {
  it("that is shown from a later moment also simulates the time before it", () => {
    const known = "2026-01-01T00:00:00.000Z";
    const one = target("a", { every: 50 * day }, { facts: { changedAt: known } });
    const whole = simulate([one], { from: known, to, limits: defaultLimits });
    const shown = simulate([one], { from, to, limits: defaultLimits, knownAt: known });
    expect(listStarts(shown)).toStrictEqual(listStarts(whole).filter((start) => start >= from));
    expect(shown.tooOld).toStrictEqual([]);
  });

  it("contains every rotation in order, each counted from the previous one", () => {
    const simulation = plan(
      target("b", { every: 40 * day }),
      target("a", { cron: "0 2 1 * *", timeZone: "Europe/Vienna" }),
    );
    expect(listStarts(simulation)).toStrictEqual([
      "2026-03-01T01:00:00.000Z a",
      "2026-04-01T00:00:00.000Z a",
      "2026-04-10T00:00:00.000Z b",
      "2026-05-01T00:00:00.000Z a",
      "2026-05-20T00:01:00.000Z b",
      "2026-06-01T00:00:00.000Z a",
      "2026-06-29T00:02:00.000Z b",
    ]);
    expect(
      simulation.rotations.map(({ after }) => after && new Date(after).toISOString()),
    ).toStrictEqual([
      "2026-03-01T00:00:00.000Z",
      "2026-03-01T01:01:00.000Z",
      "2026-03-01T00:00:00.000Z",
      "2026-04-01T00:01:00.000Z",
      "2026-04-10T00:01:00.000Z",
      "2026-05-01T00:01:00.000Z",
      "2026-05-20T00:02:00.000Z",
    ]);
    expect(simulation.rotations.slice(0, 1).map(describeWhy)).toStrictEqual([
      "policy test: due by cron 0 2 1 * *; last changed at 2026-03-01T00:00:00.000Z; scheduled for Sun 2026-03-01 02:00 Europe/Vienna",
    ]);
  });

  it("sorts targets that start at the same time by id", () => {
    const ids = ["c", "a", "d", "b"];
    const simulation = plan(...ids.map((id) => target(id, { every: 100 * day })));
    expect(simulation.rotations.map((one) => one.target.id)).toStrictEqual(["a", "b", "c", "d"]);
  });

  it("starts an overdue rotation at once in an open window, never before the beginning", () => {
    const overdue = target(
      "a",
      { every: 90 * day },
      { facts: { changedAt: "2025-01-01T00:00:00.000Z" } },
    );
    expect(listStarts(plan(overdue))[0]).toBe("2026-03-01T00:00:00.000Z a");
  });

  it("excludes a rotation that starts at its end", () => {
    const last = target("a", { every: 122 * day });
    expect(plan(last).rotations).toStrictEqual([]);
    expect(
      simulate([last], { from, to: plus(to, 1), limits: defaultLimits }).rotations,
    ).toHaveLength(1);
  });

  it("agrees with the due moment of the engine after each change", () => {
    const policies = fc.constantFrom<Partial<Policy>>(
      { every: 7 * day, headStart: day, days: ["sat"], timeZone: "Europe/Vienna", spread: hour },
      { every: day, at: ["02:30"], headStart: hour, spread: 10 * minute },
      { cron: "*/30 1-3 * * *", timeZone: "Australia/Lord_Howe" },
      { every: 9 * hour, between: [{ from: "22:00", to: "06:00" }] },
    );
    fc.assert(
      fc.property(policies, fc.uuid(), (fields, id) => {
        const own = target(id, fields);
        const { rotations } = simulate([own], {
          from,
          to: plus(from, 60 * day),
          limits: defaultLimits,
        });
        let changedAt = from;
        for (const { at } of rotations) {
          const due = computeNextDue(own.policy, { targetId: id, changedAt }, changedAt);
          expect(new Date(at).toISOString()).toBe(due.at);
          changedAt = new Date(at + minute).toISOString();
        }
        expect(rotations.length).toBeGreaterThan(5);
      }),
      { numRuns: 20 },
    );
  });

  it("names targets that are never rotated, and why", () => {
    const simulation = plan(
      target("manual", { manualOnly: true }),
      target("exposed", { afterExposure: hour }),
      target("seen", { afterExposure: hour }, { facts: { changedAt: from, exposedAt: from } }),
      target("frozen", {
        every: day,
        freeze: [{ from: "2026-01-01", to: "2050-01-01", reason: "x", lift: [] }],
      }),
      target("scheduled", { every: 500 * day }),
    );
    expect(simulation.never).toStrictEqual([
      { targetId: "manual", why: "manualOnly is set, so only a request starts a rotation" },
      { targetId: "exposed", why: "no schedule is set, and nothing else has made a rotation due" },
      { targetId: "frozen", why: "no window opens in the next ten years" },
    ]);
    expect(listStarts(simulation)).toStrictEqual(["2026-03-01T01:00:00.000Z seen"]);
  });

  it("lists secrets that are older than allowed, from the due moment until their change", () => {
    const freeze = [{ from: "2026-03-20", to: "2026-04-30", reason: "x", lift: [] }];
    const { tooOld } = plan(
      target(
        "late",
        { every: 30 * day, days: ["sat"] },
        { facts: { changedAt: "2026-02-07T00:00:00.000Z" } },
      ),
      target("frozen", { every: 60 * day, freeze }),
      target(
        "end",
        {
          every: 90 * day,
          freeze: [{ from: "2026-05-01", to: "2026-09-01", reason: "x", lift: [] }],
        },
        { facts: { adoptedAt: from } },
      ),
      target("fine", { every: 60 * day, headStart: 30 * day }),
      target("old", { every: day }, { facts: { changedAt: "2025-01-01T00:00:00.000Z" } }),
      target("unknown", { every: 200 * day }, { facts: {} }),
      target("cron", { cron: "0 0 1 1 *" }),
    );
    expect(tooOld).toStrictEqual([
      { targetId: "late", since: "2026-03-09T00:00:00.000Z", until: "2026-03-14T00:00:00.000Z" },
      { targetId: "late", since: "2026-04-13T00:01:00.000Z", until: "2026-04-18T00:00:00.000Z" },
      { targetId: "late", since: "2026-05-18T00:01:00.000Z", until: "2026-05-23T00:00:00.000Z" },
      { targetId: "late", since: "2026-06-22T00:01:00.000Z", until: "2026-06-27T00:00:00.000Z" },
      { targetId: "frozen", since: "2026-04-30T00:00:00.000Z", until: "2026-05-01T00:00:00.000Z" },
      { targetId: "end", since: "2026-05-30T00:00:00.000Z", until: "2026-07-01T00:00:00.000Z" },
    ]);
  });

  it("lists clock changes and counts the rotations near them", () => {
    const { clockChanges } = plan(
      target("vienna", { cron: "30 2 * * *", timeZone: "Europe/Vienna" }),
      target("vienna2", { every: 500 * day, timeZone: "Europe/Vienna" }),
      target("howe", { every: 500 * day, timeZone: "Australia/Lord_Howe" }),
      target("utc", { cron: "30 2 * * *" }),
    );
    expect(clockChanges).toStrictEqual([
      { timeZone: "Europe/Vienna", at: "2026-03-29T01:00:00.000Z", by: hour, rotations: 1 },
      {
        timeZone: "Australia/Lord_Howe",
        at: "2026-04-04T15:00:00.000Z",
        by: -30 * minute,
        rotations: 0,
      },
    ]);
  });

  it("counts rotations up to half a day from a clock change", () => {
    const near = (at: string) =>
      plan(
        target(
          "a",
          { every: 500 * day, timeZone: "Europe/Vienna" },
          { facts: { changedAt: plus(at, -500 * day) } },
        ),
      ).clockChanges[0]?.rotations;
    expect(near("2026-03-28T13:00:00.000Z")).toBe(1);
    expect(near("2026-03-28T12:59:59.999Z")).toBe(0);
    expect(near("2026-03-29T13:00:00.000Z")).toBe(1);
    expect(near("2026-03-29T13:00:00.001Z")).toBe(0);
  });
});

describe("collisions", () => {
  /** Makes targets that start this number of milliseconds after each other. */
  function fleet(count: number, apart: number, more: Partial<SimulatedTarget> = {}) {
    return Array.from({ length: count }, (_, index) =>
      target(
        `t${String(index).padStart(4, "0")}`,
        { every: 500 * day },
        {
          facts: { changedAt: plus("2026-04-01T00:00:00.000Z", index * apart - 500 * day) },
          ...more,
        },
      ),
    );
  }

  it("on a server are more starts than its limit allows in its time", () => {
    expect(plan(...fleet(10, 1000)).collisions).toStrictEqual([]);
    expect(plan(...fleet(30, 1000)).collisions).toStrictEqual([]);
    expect(plan(...fleet(12, 900)).collisions).toStrictEqual([
      {
        kind: "server",
        name: "db1",
        from: "2026-04-01T00:00:00.000Z",
        to: "2026-04-01T00:00:09.900Z",
        most: 12,
        limit: 10,
      },
    ]);
  });

  it("are merged only if they overlap", () => {
    const limits = { ...defaultLimits, perServer: { count: 1, within: second } };
    const at = [0, 500, 1000, 1500, 5000, 5500];
    const targets = at.map((after, index) =>
      target(
        `t${index}`,
        { every: 500 * day },
        {
          facts: { changedAt: plus("2026-04-01T00:00:00.000Z", after - 500 * day) },
        },
      ),
    );
    expect(
      simulate(targets, { from, to, limits }).collisions.map(
        (one) => `${one.from.slice(17)} ${one.to.slice(17)} ${one.most}`,
      ),
    ).toStrictEqual(["00.000Z 01.500Z 2", "05.000Z 05.500Z 2"]);
  });

  it("in a vault count two versions for each rotation", () => {
    const nowhere = { server: undefined };
    const bare = (count: number) => fleet(count, 10).map(({ server: _, ...rest }) => rest);
    expect(nowhere.server).toBeUndefined();
    expect(plan(...bare(150)).collisions).toStrictEqual([]);
    expect(plan(...bare(151)).collisions).toStrictEqual([
      {
        kind: "vault",
        name: "main",
        from: "2026-04-01T00:00:00.000Z",
        to: "2026-04-01T00:00:01.500Z",
        most: 302,
        limit: 300,
      },
    ]);
  });

  it("are listed by server and vault, sorted by time", () => {
    const found = plan(
      ...fleet(11, 1, { server: "db2", vault: "v2" }).map((one) => ({
        ...one,
        id: `x${one.id}`,
        facts: { changedAt: plus("2026-03-20T00:00:00.000Z", -500 * day) },
      })),
      ...fleet(160, 1),
      ...fleet(10, 1, { server: "db3", vault: "v3" }).map((one) => ({ ...one, id: `y${one.id}` })),
    ).collisions;
    expect(found.map(({ kind, name, most }) => `${kind} ${name} ${most}`)).toStrictEqual([
      "server db2 11",
      "server db1 160",
      "vault main 320",
    ]);
  });

  it("do not occur in a fleet that is spread", () => {
    const spread = fleet(500, 0).map((one) => ({
      ...one,
      policy: policyWith({ every: 500 * day, spread: 4 * hour }),
    }));
    expect(plan(...spread).collisions).toStrictEqual([]);
  });
});
