import { describe, expect, test } from "vitest";
import { ConfigProblemsError } from "../../shared/config/problems.ts";
import { minute, second } from "../../shared/core/time.ts";
import { broken, everyDays, look, makeStorage, missing, passing } from "./config-storage.ts";

describe("A configuration in a blob", () => {
  test("is read at most once in half a minute, for all callers together", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await Promise.all([look(live), look(live), look(live)]);
    storage.advance(29 * second);
    expect(await look(live)).toEqual({ days: 90, told: [] });
    expect(storage.counts()).toEqual({ reads: 1, checks: 1 });
  });

  test("is in force half a minute after an edit, and an event reports it", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    storage.edit(everyDays(30));
    storage.advance(30 * second);
    expect(await look(live)).toEqual({ days: 30, told: ["config-changed"] });
  });

  test("is the same object until an edit, so that nothing is rebuilt without need", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    const before = await live.current(() => undefined);
    storage.advance(minute);
    expect(await live.current(() => undefined)).toBe(before);
    expect(storage.counts()).toEqual({ reads: 2, checks: 1 });
  });

  test("is checked by one instance of a build, and the others restore its form", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    await look(storage.instance());
    await look(storage.instance());
    expect(storage.counts().checks).toBe(1);
    await look(storage.instance({ build: "b2" }));
    expect(storage.counts().checks).toBe(2);
  });

  test("is read again even if the clock was set back", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    storage.edit(everyDays(30));
    storage.advance(-60 * minute);
    expect((await look(live)).days).toBe(30);
  });
});

describe("A broken edit", () => {
  test("leaves the last good configuration in force and raises an alarm with the problem, until it is fixed", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    expect(live.alarm()).toBeUndefined();
    storage.edit(broken);
    const editedAt = storage.now();
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: ["config-refused"] });
    const alarm = live.alarm();
    expect(alarm).toMatchObject({ kind: "config-refused", at: editedAt });
    expect(alarm?.message).toMatch(
      /^The configuration of 2026-\S+ was rejected, so the last good configuration stays in force. Reason: keyturn\.yaml:\d+:1 {2}more: is not a known key/,
    );
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: [] });
    storage.edit(everyDays(60));
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 60, told: ["config-changed"] });
    expect(live.alarm()).toBeUndefined();
  });

  test("raises one alarm for all instances", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const [one, other] = [storage.instance(), storage.instance()];
    await Promise.all([look(one), look(other)]);
    storage.edit(broken);
    storage.advance(minute);
    await look(one);
    storage.advance(7 * minute);
    await look(other);
    expect(one.alarm()).toEqual(other.alarm());
  });

  test("leaves the last good configuration in force for instances that start later, also of another build", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    await look(storage.instance());
    storage.edit(broken);
    for (const build of ["b1", "b2"]) {
      const later = storage.instance({ build });
      expect(await look(later)).toEqual({ days: 90, told: ["config-refused", "config-changed"] });
      expect(later.alarm()?.kind).toBe("config-refused");
    }
  });

  test("is rejected with every problem if there is no earlier good configuration, and can be fixed without a restart", async () => {
    const storage = makeStorage();
    storage.edit(broken);
    const live = storage.instance();
    await expect(look(live)).rejects.toThrow(ConfigProblemsError);
    storage.edit(everyDays(90));
    storage.advance(minute);
    expect((await look(live)).days).toBe(90);
  });

  test("that takes too long to check is rejected like one with problems", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    await look(storage.instance());
    storage.edit(everyDays(30));
    const live = storage.instance({ tooCostly: true });
    expect((await look(live)).days).toBe(90);
    expect(live.alarm()?.message).toContain("it takes too long");
  });

  test("never replaces a newer good configuration in the stored copy", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const slow = storage.instance();
    storage.takeKeptDown(true);
    expect((await look(slow)).told).toEqual(["config-not-kept"]);
    storage.takeKeptDown(false);
    storage.edit(everyDays(30));
    await look(storage.instance());
    storage.makeUnreadable(passing);
    storage.advance(minute);
    // The instance now stores the copy that it could not store before, which is outdated by now.
    await look(slow);
    expect((await look(storage.instance())).days).toBe(30);
  });
});

describe("A blob that cannot be read", () => {
  test("leaves the configuration in force, is reported once, and raises no alarm if it recovers", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    storage.makeUnreadable(passing);
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: ["config-unreadable"] });
    expect(live.alarm()).toBeUndefined();
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: [] });
    storage.makeUnreadable(undefined);
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: [] });
  });

  test("raises an alarm every hour while the blob is missing or access is denied", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    storage.makeUnreadable(missing);
    const ids = new Set<string | undefined>();
    for (let minutes = 0; minutes < 120; minutes++) {
      storage.advance(minute);
      await look(live);
      ids.add(live.alarm()?.id);
    }
    expect(ids.size).toBe(3);
    expect(live.alarm()?.message).toBe(
      "There is no such blob. The last good configuration stays in force.",
    );
    storage.makeUnreadable(undefined);
    storage.advance(minute);
    await look(live);
    expect(live.alarm()).toBeUndefined();
  });

  test("does not prevent an instance from starting with the last good configuration", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    await look(storage.instance());
    storage.makeUnreadable(passing);
    const later = storage.instance();
    expect((await look(later)).days).toBe(90);
    storage.makeUnreadable(undefined);
    storage.edit(everyDays(30));
    storage.advance(minute);
    expect((await look(later)).days).toBe(30);
  });

  test("makes triggers fail if there is no earlier good configuration", async () => {
    const storage = makeStorage();
    const live = storage.instance();
    await expect(look(live)).rejects.toThrow("There is no such blob.");
    storage.takeKeptDown(true);
    storage.advance(minute);
    await expect(look(live)).rejects.toThrow("There is no such blob.");
    storage.takeKeptDown(false);
    storage.edit(everyDays(90));
    storage.advance(minute);
    expect((await look(live)).days).toBe(90);
  });
});
