import { expect, test } from "vitest";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../../shared/core/errors.ts";
import { hour, minute } from "../../../../shared/core/time.ts";
import {
  adopted,
  failing,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  open,
  pairAdmin,
  singleAdmin,
  singleIdentity,
  singleSelf,
} from "../../world.ts";

const never = new AbortController().signal;

test("A target that is down is tried as often as the policy allows, then after the long pause", async () => {
  const world = await adopted(singleAdmin);
  const down: Gate = (effect, call) =>
    effect === "target.verify" ? Promise.reject(new TargetUnavailableError("down")) : call();
  const id = await request(world);
  for (let tries = 1; tries <= 3; tries++) {
    await work(world, down);
    world.advance(12 * minute);
  }
  const run = await world.journal.run("app", id);
  const record = await readRecord(world);
  expect(run?.state).toBe("failed");
  expect(record.health).toBe("failing");
  const wait = Date.parse(record.nextDue ?? "") - Date.parse(run?.endedAt ?? "");
  expect(wait).toBeGreaterThanOrEqual(6 * hour);
  expect(world.applied.size).toBe(0);
  world.advanceTo(record.nextDue ?? "");
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A refused change fails the rotation, and the next rotation uses a new secret", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("used before")),
  );
  const failed = await readRecord(world);
  expect(failed.health).toBe("failing");
  expect(failed.lastFailure?.message).toBe("used before");
  const firstTry = world.vault.versions("keyturn-pending-app").at(-1);
  world.advanceTo(failed.nextDue ?? "");
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
  const second = world.vault.versions("keyturn-pending-app").at(-1);
  expect(second?.value.equals(firstTry?.value ?? second.value)).toBe(false);
});

test("After a lost connection the rotation checks the target and creates no other secret", async () => {
  const world = await adopted(singleSelf);
  await request(world);
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "target.apply") throw new OutcomeUnknownError("line lost");
    return result;
  });
  expect((await readRecord(world)).rotation?.phase).toBe("applying");
  world.advance(12 * minute);
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
  expect(world.vault.versions("keyturn-pending-app")).toHaveLength(1);
  expect(world.publishedWorks()).toBe(true);
});

test("A target that refuses every stored secret is blocked, and nothing more is tried", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "nobody knows this");
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("blocked");
  const logIns = world.system.logIns;
  for (let hours = 0; hours < 10; hours++) {
    world.advance(24 * hour);
    await work(world);
  }
  expect(world.system.logIns).toBe(logIns);
  expect(world.notifier.sent.map(({ type }) => type)).toContain("rotation.blocked");
});

test("A person unblocks a target by storing a working secret and requesting a rotation", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "set by a person");
  const blocked = await rotate(world);
  await writeByHand(world, "app", "set by a person");
  expect(await rotate(world)).toBe(blocked);
  expect((await readRecord(world)).health).toBe("healthy");
  expect((await world.journal.run("app", blocked))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("Each stored secret is tried at most once in an attempt", async () => {
  const world = await adopted(singleSelf);
  await rotate(world);
  setPassword(world, "app", "nobody knows this");
  const before = world.system.logIns;
  await rotate(world);
  // The published secret and the one before it; the pending secret was never sent.
  expect(world.system.logIns - before).toBeLessThanOrEqual(3);
});

test("A pending version that somebody disabled is replaced if the account can still be changed in another way", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(world, async (effect, call) => {
    if (effect === "target.apply") throw new OutcomeUnknownError("line lost");
    return call();
  });
  const pending = (await readRecord(world)).rotation?.pending;
  if (pending) await world.vault.disable(pending, never);
  for (let tries = 0; tries < 2; tries++) {
    world.advance(12 * minute);
    await work(world);
  }
  expect((await readRecord(world)).health).toBe("healthy");
  expect(world.publishedWorks()).toBe(true);
});

test("A published version that somebody disabled does not stop a rotation", async () => {
  const world = await adopted(pairAdmin);
  const published = (await readRecord(world)).published;
  if (published) await world.vault.disable(published, never);
  const id = await rotate(world, { reason: "exposure" });
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("A rotation waits for a new secret that is refused while it propagates, without using up tries", async () => {
  const world = await adopted({ ...singleIdentity, propagation: 5 * minute });
  const id = await request(world);
  const slow: Gate = async (effect, call) =>
    effect === "target.verify" ? ("rejected" as Awaited<ReturnType<typeof call>>) : call();
  for (let tries = 0; tries < 8; tries++) {
    await work(world, slow);
    world.advance(11_000);
  }
  const waiting = (await readRecord(world)).rotation;
  expect(waiting?.failures).toBe(0);
  expect(waiting?.confirmedAt).toBeDefined();
  await work(world, open);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.applied.size).toBe(1);
});

test("A refused admin credential changes nothing, and the rotation is retried", async () => {
  const world = await adopted(singleAdmin);
  setPassword(world, "admin", "changed by somebody");
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.failure?.message).toContain("app-admin");
  expect(world.applied.size).toBe(0);
  setPassword(world, "admin", "secret-of-admin");
  world.advance(12 * minute);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});
