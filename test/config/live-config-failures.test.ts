import { describe, expect, test } from "vitest";
import { minute } from "../../shared/core/time.ts";
import { ConfigBlobError } from "../../shared/stores/blob/config-blob.ts";
import { broken, everyDays, look, makeStorage, passing } from "./config-storage.ts";

describe("An instance with a configuration in force", () => {
  test("goes on when a check fails by itself, reports it, and checks again after ten minutes", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    storage.breakCheck(true);
    storage.edit(everyDays(30));
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: ["config-refused"] });
    expect(live.alarm()).toMatchObject({ kind: "config-refused" });
    expect(live.alarm()?.message).not.toContain("the thread has ended");
    storage.breakCheck(false);
    storage.advance(minute);
    expect(await look(live)).toEqual({ days: 90, told: [] });
    storage.advance(10 * minute);
    expect(await look(live)).toEqual({ days: 30, told: ["config-changed"] });
    expect(live.alarm()).toBeUndefined();
  });

  test("does not forget a refused edit when the blob cannot be read for a moment", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    storage.edit(broken);
    storage.advance(minute);
    await look(live);
    const alarm = live.alarm();
    storage.makeUnreadable(passing);
    storage.advance(minute);
    await look(live);
    storage.makeUnreadable(undefined);
    storage.advance(minute);
    await look(live);
    expect(live.alarm()).toEqual(alarm);
  });

  test("keeps what it has made from a configuration that is stored again without a change", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    const before = await live.current(() => undefined);
    storage.edit(everyDays(90));
    storage.advance(minute);
    expect(await live.current(() => undefined)).toBe(before);
    expect(storage.counts().checks).toBe(1);
  });

  test("does not wait for a check that takes long, and takes the edit when it ends", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    const end = Promise.withResolvers<undefined>();
    storage.slowDown(end.promise);
    storage.edit(everyDays(30));
    storage.advance(minute);
    expect((await look(live)).days).toBe(90);
    storage.slowDown(undefined);
    end.resolve(undefined);
    await expect.poll(async () => (await look(live)).days).toBe(30);
  });

  test("reports an unreadable blob once, although each failure names another request", async () => {
    const storage = makeStorage();
    storage.edit(everyDays(90));
    const live = storage.instance();
    await look(live);
    const told: string[] = [];
    for (let request = 0; request < 3; request++) {
      const message = `status 503, request ${request}`;
      storage.makeUnreadable(new ConfigBlobError(message, false, "503 ServerBusy"));
      storage.advance(minute);
      told.push(...(await look(live)).told);
    }
    expect(told).toEqual(["config-unreadable"]);
  });
});
