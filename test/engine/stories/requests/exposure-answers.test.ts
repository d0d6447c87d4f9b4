import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { day, hour, plus } from "../../../../shared/core/time.ts";
import { seen, withPolicy, work, worldWith, yearEnd } from "../../policy-world.ts";
import { failing, readRecord, request, setPassword } from "../../steps.ts";
import { pairAdmin, singleSelf } from "../../world.ts";

test("An exposure that makes nothing due under the policy is recorded, does not count, and the answer says what to do", async () => {
  const world = await worldWith({});
  await work(world);
  expect(await seen(world)).toEqual({
    counted: false,
    why: "recorded, but policy test has no afterExposure, so an exposure does not start a rotation; request a rotation with cause exposure, or set afterExposure",
    nextDue: plus(world.now(), 90 * day),
  });
  expect((await readRecord(world)).exposure).toMatchObject({ by: "ben" });
  const id = await request(world);
  expect(await seen(world)).toMatchObject({ counted: false, rotationId: id });
});

test("An exposure counts under a manualOnly policy that has afterExposure", async () => {
  const world = await worldWith({ manualOnly: true });
  const { every: _, ...policy } = world.target.policy;
  const byHand = { ...world, target: { ...world.target, policy } };
  await work(byHand);
  expect((await seen(byHand)).counted).toBe(false);
  const watched = withPolicy(byHand, { afterExposure: hour });
  expect(await seen(watched)).toMatchObject({ counted: true, nextDue: plus(world.now(), hour) });
});

test("An exposure of a target that is not adopted yet counts from its adoption on, and the answer says so", async () => {
  const world = await worldWith({ afterExposure: hour });
  expect(await seen(world)).toEqual({
    counted: true,
    why: "policy test: after the adoption of the target, a change is due 1h after 2026-01-01T00:00:00.000Z",
  });
  await work(world);
  expect((await readRecord(world)).nextDue).toBe("2026-01-01T01:00:00.000Z");
});

test("An exposure of a blocked target does not count, and the answer names the blocked rotation", async () => {
  const world = await worldWith({ afterExposure: hour }, singleSelf);
  await work(world);
  setPassword(world, "app", "set-by-somebody");
  await request(world);
  await work(world);
  expect((await readRecord(world)).rotation?.phase).toBe("blocked");
  const answer = await seen(world);
  expect(answer).toMatchObject({ counted: false });
  expect(answer).not.toHaveProperty("nextDue");
  expect(answer.why).toMatch(
    /^recorded, but the target is blocked \(.*\): fix the cause.*Keyturn changes nothing/,
  );
});

test("The answer to an exposure with a distant window or freeze says when the rotation starts, and how to start it sooner", async () => {
  const world = await worldWith({ afterExposure: hour, freeze: [{ ...yearEnd, lift: [] }] });
  await work(world);
  const answer = await seen(world);
  expect(answer).toMatchObject({ counted: true, nextDue: "2026-01-07T00:00:00.000Z" });
  expect(answer.why).toMatch(
    /delayed by a freeze until .*; to change it sooner, request a rotation/,
  );
  const forever = withPolicy(world, {
    freeze: [{ from: "2026-01-01", to: "9999-12-31", reason: "legacy", lift: [] }],
  });
  expect(await seen(forever, { by: "eva" })).toMatchObject({
    counted: false,
    why: expect.stringContaining("no window opens in the next ten years") as string,
  });
});

test("A rotation under way answers an exposure, and the answer says what the rotation waits for", async () => {
  const world = await worldWith({ afterExposure: 4 * hour });
  await work(world);
  const id = await request(world);
  await work(
    world,
    failing("target.verify", 1, () => new TargetUnavailableError("down")),
  );
  const { nextAttemptAt = "" } = (await readRecord(world)).rotation ?? {};
  const answer = await seen(world);
  expect(answer).toMatchObject({ counted: true, rotationId: id, nextDue: nextAttemptAt });
  expect(answer.why).toContain(
    `rotation ${id}, which changes the secret, is under way and waits until`,
  );
});

test.each([
  ["by its version", (version: string) => ({ version })],
  ["by the time it was seen", () => ({ at: "2026-01-01T00:30:00.000Z" })],
])(
  "An exposed superseded secret that still works, reported %s, is replaced at the next rotation of its account",
  async (_how, report) => {
    const world = await worldWith({ afterExposure: 2 * hour }, pairAdmin);
    await work(world);
    const version = (await readRecord(world)).published?.version ?? "";
    world.advance(hour);
    await request(world);
    await work(world);
    const answer = await seen(world, report(version));
    expect(answer).toMatchObject({ counted: true, nextDue: plus(world.now(), 2 * hour) });
    expect(answer.why).toContain(
      `the exposed secret belongs to app_a: app_a is not published, but its password works until Keyturn retires the account at ${plus(world.now(), day)}`,
    );
    world.advance(2 * hour);
    const before = world.system.passwords.get("app_a");
    await work(world);
    expect(world.system.passwords.get("app_a")).not.toBe(before);
    expect(world.publishedWorks()).toBe(true);
    expect((await readRecord(world)).exposure).toBeUndefined();
  },
);

test("An exposed secret that is retired before its account is changed no longer makes a rotation due", async () => {
  const world = await worldWith({ afterExposure: 2 * day }, pairAdmin);
  await work(world);
  const version = (await readRecord(world)).published?.version ?? "";
  await request(world);
  await work(world);
  world.advance(hour);
  expect((await seen(world, { version })).counted).toBe(true);
  world.advance(day);
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  world.advance(2 * day);
  await work(world);
  expect(await world.journal.runs("app", 9)).toMatchObject([{ reason: "operator" }]);
});

test("The answer to an exposure of a pending secret says to report it again once the secret is published", async () => {
  const world = await worldWith({ afterExposure: hour });
  await work(world);
  const id = await request(world);
  await work(
    world,
    failing("target.apply", 1, () => new TargetUnavailableError("down")),
  );
  const version = (await readRecord(world)).rotation?.pending?.version ?? "";
  const answer = await seen(world, { version });
  expect(answer).toMatchObject({ counted: false });
  expect(answer.why).toContain(`the reported version is the pending secret of rotation ${id}`);
});

test("A breach releases the request of an exposure that waits for a freeze which only breaches lift", async () => {
  const world = await worldWith({ freeze: [{ ...yearEnd, lift: ["breach"] }] });
  await work(world);
  const id = await request(world, { reason: "exposure" });
  expect((await readRecord(world)).request?.notBefore).toBeDefined();
  await seen(world, { kind: "breach" });
  await work(world);
  expect(await world.journal.run("app", id)).toMatchObject({ state: "done" });
});
