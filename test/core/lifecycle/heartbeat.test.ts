import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideWork, findWakeTime } from "../../../shared/core/lifecycle/decide.ts";
import {
  findHeartbeat,
  findNextHeartbeat,
  isOnlyHeartbeat,
  withHeartbeat,
  withHeartbeatLater,
  withVerified,
} from "../../../shared/core/lifecycle/heartbeat.ts";
import { goesFirst } from "../../../shared/core/record/first.ts";
import { type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { between, day, hour, type Instant, minute, plus } from "../../../shared/core/time.ts";

const now = "2026-03-01T10:00:00.000Z";
const ids = Array.from({ length: 10_000 }, (_, index) => `target-${index}`);
const anyEvery = fc.integer({ min: hour, max: 400 * day });
const anyMoment = fc.integer({ min: 0, max: 3_000 * day }).map((ms) => plus(now, ms));

/** The heartbeats of each target in the order of the hours after `now`, from the first proof on. */
function countByHour(provenAt: (index: number) => Instant, until: number): number[] {
  const counts = new Array<number>(until).fill(0);
  for (const [index, id] of ids.entries()) {
    for (let at = provenAt(index); ;) {
      // A sweep finds it within a minute.
      at = plus(findNextHeartbeat(id, day, at), minute);
      const hours = Math.floor(between(now, at) / hour);
      if (hours >= until) break;
      counts[hours] = (counts[hours] ?? 0) + 1;
    }
  }
  return counts;
}

describe("the next heartbeat", () => {
  it("comes at least half an interval after the proof and at most a whole one", () => {
    fc.assert(
      fc.property(fc.string(), anyEvery, anyMoment, (id, every, provenAt) => {
        const distance = between(provenAt, findNextHeartbeat(id, every, provenAt));
        expect(distance).toBeGreaterThanOrEqual(Math.floor(every / 2));
        expect(distance).toBeLessThanOrEqual(every);
      }),
      { numRuns: 2_000 },
    );
  });

  it("comes at the same moment of each interval, once it has", () => {
    fc.assert(
      fc.property(fc.string(), anyMoment, fc.nat({ max: minute }), (id, provenAt, late) => {
        let at = provenAt;
        for (let beats = 0; beats < 4; beats++) at = plus(findNextHeartbeat(id, day, at), late);
        expect(between(at, findNextHeartbeat(id, day, at))).toBe(day - late);
      }),
    );
  });

  it("spreads 10,000 targets that were proven at the same time evenly over the hours of each day", () => {
    const counts = countByHour(() => now, 7 * 24);
    const even = ids.length / 24;
    expect(counts.slice(0, 12)).toEqual(new Array<number>(12).fill(0));
    // The first heartbeats have half a day.
    expect(Math.max(...counts.slice(12, 36))).toBeLessThan(even * 2.6);
    for (const count of counts.slice(72)) {
      expect(count).toBeGreaterThan(even * 0.8);
      expect(count).toBeLessThan(even * 1.2);
    }
  });

  it("spreads targets that were proven at any time evenly", () => {
    const counts = countByHour((index) => plus(now, (index % 24) * hour), 5 * 24);
    for (const count of counts.slice(72)) {
      expect(count).toBeGreaterThan((ids.length / 24) * 0.8);
      expect(count).toBeLessThan((ids.length / 24) * 1.2);
    }
  });
});

const retry = { attempts: 2, every: 10 * minute, thenEvery: 6 * hour, jitter: 0 };
const password = { length: 20 } as never;
const target = { id: "orders", policy: { name: "p", every: 90 * day, password, retry } };
const beating = { ...target, policy: { ...target.policy, verifyEvery: day } };
const healthy: TargetRecord = {
  ...newRecord("orders"),
  health: "healthy",
  adoptedAt: now,
  published: { vault: "main", name: "orders-db", version: "1" },
  nextDue: plus(now, 90 * day),
};
const record = withVerified(healthy, beating, now);
const at = record.heartbeat?.at ?? "";
const rotation = { phase: "staging", changeBegan: false, heldBy: "x", nextAttemptAt: "9" } as never;

describe("a heartbeat is due", () => {
  it("for a healthy target, as a check, and neither moves the due moment nor goes first", () => {
    expect(findWakeTime(record, now)).toBe(at);
    expect(decideWork(record, plus(at, -1))).toBe("wait");
    expect(decideWork(record, at)).toBe("check");
    expect(goesFirst(record)).toBe(false);
    expect(record.nextDue).toBe(healthy.nextDue);
    expect(isOnlyHeartbeat(record, at)).toBe(true);
  });

  it("after all other work on the target", () => {
    expect(decideWork({ ...record, nextDue: at }, at)).toBe("start");
    expect(isOnlyHeartbeat({ ...record, nextDue: at }, at)).toBe(false);
    const retirement = { account: "b", at, rotationId: "r", failures: 0 };
    expect(decideWork({ ...record, retirement }, at)).toBe("retire");
  });

  it("also while a rotation waits that has changed nothing", () => {
    expect(findHeartbeat({ ...record, rotation })).toBe(at);
  });

  it.each<[string, Partial<TargetRecord>]>([
    ["a target that is failing", { health: "failing" }],
    ["a target that is blocked", { health: "blocked" }],
    ["a secret that will be checked anyway", { check: { at: now, why: "doubt", failures: 1 } }],
    [
      "a change that may have begun",
      { rotation: { ...(rotation as object), changeBegan: true } as never },
    ],
  ])("but not for %s", (_what, fields) => {
    expect(findHeartbeat({ ...record, ...fields })).toBeUndefined();
  });

  it("but not for a target that was never adopted or publishes nothing", () => {
    const { adoptedAt: _a, ...fresh } = record;
    const { published: _p, ...empty } = record;
    expect([findHeartbeat(fresh), findHeartbeat(empty)]).toEqual([undefined, undefined]);
  });
});

describe("a policy", () => {
  it("without heartbeats removes the next one", () => {
    expect(withHeartbeat(record, target, now).heartbeat).toBeUndefined();
    expect(withHeartbeatLater(record, target, { now }).heartbeat).toBeUndefined();
  });

  it("that is edited does not make a fleet due at once", () => {
    const later = plus(now, 60 * day);
    const counts = new Set<Instant>();
    for (const id of ids.slice(0, 1_000)) {
      const { heartbeat } = withHeartbeat(healthy, { ...beating, id }, later);
      expect(between(later, heartbeat?.at ?? "")).toBeGreaterThanOrEqual(0);
      expect(between(later, heartbeat?.at ?? "")).toBeLessThanOrEqual(day / 2);
      counts.add(heartbeat?.at ?? "");
    }
    expect(counts.size).toBeGreaterThan(990);
  });
});

describe("a heartbeat that could not be made", () => {
  it("is tried again at growing distances, at most one interval apart", () => {
    let [tried, moment] = [record, at];
    const distances: number[] = [];
    for (let tries = 0; tries < 4; tries++) {
      tried = withHeartbeatLater(tried, beating, { now: moment });
      distances.push(between(moment, tried.heartbeat?.at ?? ""));
      moment = tried.heartbeat?.at ?? "";
    }
    expect(distances).toEqual([10 * minute, ...[6 * hour, 6 * hour, 6 * hour]]);
    const hourly = { ...beating, policy: { ...beating.policy, verifyEvery: hour } };
    const { heartbeat } = withHeartbeatLater(tried, hourly, { now });
    expect(heartbeat).toEqual({ at: plus(now, hour), failures: 5 });
  });

  it("waits until a log-in is allowed", () => {
    const notBefore = plus(now, 3 * hour);
    expect(withHeartbeatLater(record, beating, { now, notBefore }).heartbeat?.at).toBe(notBefore);
  });
});
