import { expect, test } from "vitest";
import { ChangeRefusedError, TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { nights, seen, withPolicy, work, worldWith, yearEnd } from "../../policy-world.ts";
import { failing, readRecord, request } from "../../steps.ts";

test("An exposure that lifts a freeze releases a request that waits for its end", async () => {
  const world = await worldWith({
    afterExposure: hour,
    freeze: [{ ...yearEnd, lift: ["exposure"] }],
  });
  await work(world);
  const id = await request(world);
  await work(world);
  await seen(world);
  world.advance(hour);
  await work(world);
  expect(await world.journal.run("app", id)).toMatchObject({ state: "done", reason: "exposure" });
  expect((await readRecord(world)).request).toBeUndefined();
});

test("An exposure starts the clock once, and a change stops it", async () => {
  const world = await worldWith({ afterExposure: 4 * hour });
  await work(world);
  world.advance(hour);
  expect(await seen(world, { from: "a log" })).toEqual({
    counted: true,
    why: "policy test: due 4h after the exposure at 2026-01-01T01:00:00.000Z",
    nextDue: "2026-01-01T05:00:00.000Z",
  });
  world.advance(hour);
  expect((await seen(world, { by: "eva" })).nextDue).toBe("2026-01-01T05:00:00.000Z");
  expect((await readRecord(world)).exposure).toMatchObject({ by: "ben", from: "a log" });
  world.advance(3 * hour);
  await work(world);
  const record = await readRecord(world);
  expect(record.exposure).toBeUndefined();
  expect(record.nextDue).toBe(plus(world.now(), 90 * day));
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({ reason: "exposure" });
});

test("An exposure waits for the window unless the policy says otherwise", async () => {
  const world = await worldWith({ ...nights, afterExposure: hour });
  await work(world);
  world.advance(6 * hour);
  expect((await seen(world)).nextDue).toBe("2026-01-02T02:00:00.000Z");
  const urgent = withPolicy(world, { exposureIgnoresWindow: true });
  await work(urgent);
  expect((await readRecord(urgent)).nextDue).toBe("2026-01-01T07:00:00.000Z");
  urgent.advance(hour);
  await work(urgent);
  expect(urgent.applied.size).toBe(1);
});

test("An exposure to people who may see the secret starts no clock, but does not stop other exposures from starting one", async () => {
  const world = await worldWith({ afterExposure: hour, exemptIdentities: ["*@Audit.example"] });
  await work(world);
  expect(await seen(world, { by: "anna@audit.example" })).toMatchObject({
    counted: false,
    why: "policy test: anna@audit.example may see the secret",
    nextDue: plus(world.now(), 90 * day),
  });
  expect((await seen(world)).counted).toBe(true);
});

test("An exposure of a superseded secret starts no clock", async () => {
  const world = await worldWith({ afterExposure: hour });
  await work(world);
  world.advance(hour);
  await request(world);
  await work(world);
  expect(await seen(world, { at: "2026-01-01T00:30:00.000Z" })).toMatchObject({
    counted: false,
    why: "the secret was changed after the exposure, at 2026-01-01T01:00:00.000Z",
  });
  expect(await seen(world, { version: "no-longer-there" })).toMatchObject({
    counted: false,
    why: "the reported version is not in use",
  });
});

test("A breach lifts a freeze that an exposure does not lift", async () => {
  const world = await worldWith({
    afterExposure: hour,
    freeze: [{ ...yearEnd, lift: ["breach"] }],
  });
  await work(world);
  expect((await seen(world)).nextDue).toBe("2026-01-07T00:00:00.000Z");
  expect((await seen(world, { kind: "breach" })).nextDue).toBe("2026-01-01T01:00:00.000Z");
});

test("A rotation under way answers an exposure that is reported meanwhile", async () => {
  const world = await worldWith({ afterExposure: hour });
  await work(world);
  await request(world);
  let told = false;
  await work(world, async (effect, call) => {
    if (effect === "target.apply" && !told) {
      told = true;
      await seen(world);
    }
    return call();
  });
  const record = await readRecord(world);
  expect(told).toBe(true);
  expect(record.health).toBe("healthy");
  expect(record.exposure).toBeUndefined();
  expect(record.nextDue).toBe(plus(world.now(), 90 * day));
});

test("An exposure of the new secret counts although its rotation has not ended", async () => {
  const world = await worldWith({ afterExposure: hour });
  await work(world);
  await request(world);
  let told = false;
  await work(world, async (effect, call) => {
    if (effect === "consumer.refresh" && !told) {
      told = true;
      world.advance(minute);
      await seen(world);
    }
    return call();
  });
  const record = await readRecord(world);
  expect(record.exposure).toMatchObject({ by: "ben" });
  expect(record.nextDue).toBe(plus(world.now(), hour));
});

const urgent = { ...nights, every: day, afterExposure: hour, exposureIgnoresWindow: true };
const refused = () => new ChangeRefusedError("no");

test("An exposure after a failed rotation waits for no window", async () => {
  const world = await worldWith(urgent);
  await work(world);
  world.advanceTo("2026-01-02T03:50:00.000Z");
  await work(world, failing("target.apply", 1, refused));
  world.advanceTo("2026-01-02T05:00:00.000Z");
  await work(world);
  expect(await seen(world)).toMatchObject({ nextDue: "2026-01-02T06:00:00.000Z" });
  world.advance(hour);
  await work(world);
  expect(world.applied.size).toBe(1);
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({
    state: "done",
    reason: "exposure",
    why: "policy test: due 1h after the exposure at 2026-01-02T05:00:00.000Z; ignores windows",
  });
});

const lifted = { from: "2026-01-01T01:00:00Z", to: "2026-02-01", reason: "audit" } as const;

test.each([["before"], ["after"]])(
  "An exposure lifts a freeze for the retry of a requested rotation, reported %s the freeze delays the retry",
  async (when) => {
    const world = await worldWith({
      afterExposure: 3 * hour,
      freeze: [{ ...lifted, lift: ["exposure"] }],
    });
    await work(world);
    const id = await request(world, { requestedBy: "anna" });
    await work(world, failing("target.apply", 1, refused));
    if (when === "before") await seen(world);
    world.advance(hour);
    await work(world);
    if (when === "after") await seen(world);
    const { nextDue = "never", exposure } = await readRecord(world);
    expect(nextDue).toBe(plus(exposure?.at ?? "", 3 * hour));
    world.advanceTo(nextDue);
    await work(world);
    const [done] = await world.journal.runs("app", 1);
    expect(done).toMatchObject({ state: "done", reason: "exposure", requestedBy: "anna" });
    expect(done?.rotationId).not.toBe(id);
  },
);

test.each([["while no worker holds the target"], ["while a worker delays the rotation"]])(
  "An exposure reported %s lets an open rotation continue when it is due",
  async (when) => {
    const world = await worldWith(urgent);
    await work(world);
    world.advanceTo("2026-01-02T03:59:00.000Z");
    await work(
      world,
      failing("target.verify", 9, () => new TargetUnavailableError("down")),
    );
    world.advanceTo("2026-01-02T05:00:00.000Z");
    const isLate = when === "while no worker holds the target";
    let told = isLate;
    await work(world, async (effect, call) => {
      const isClaimed = (await readRecord(world)).claim.owner !== undefined;
      if (isClaimed && effect === "journal.commit" && !told) {
        told = true;
        await seen(world);
      }
      return call();
    });
    if (isLate) await seen(world);
    expect(await work(world)).toBe("2026-01-02T06:00:00.000Z");
    expect((await readRecord(world)).rotation?.heldBy).toContain("1h after the exposure");
    world.advance(hour);
    await work(world);
    expect(world.applied.size).toBe(1);
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
    expect(await readRecord(world)).not.toHaveProperty("exposure");
  },
);
