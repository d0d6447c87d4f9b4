import { expect, test } from "vitest";
import {
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import { day, hour, minute, second } from "../../../../shared/core/time.ts";
import { verifyPublished } from "../../../../shared/engine/work/verify.ts";
import { workFor } from "../../proofs/disturbed.ts";
import {
  adopted,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  makeWorld,
  open,
  pairAdmin,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

/** Schedules a check of the published secret. */
async function requestCheck(world: World): Promise<void> {
  const found = await world.journal.read("app");
  if (!found) throw new Error("the journal does not know the target");
  const check = { at: world.now(), why: "a test", failures: 0 };
  const record = { ...found.record, check };
  await world.journal.commit({ record, etag: found.etag, wakeAt: world.now() });
}

const down = (prefix: string) => (effect: string) =>
  effect.startsWith(prefix) ? new TargetUnavailableError("down") : undefined;

/** Returns the milliseconds until the published secret works. */
async function untilServed(world: World): Promise<number> {
  const start = Date.parse(world.now());
  for (let turn = 0; turn < 400 && !world.publishedWorks(); turn++) await workFor(world, minute);
  return Date.parse(world.now()) - start;
}

test.each([
  ["the whole target", "target."],
  ["the admin", "target.examine"],
])(
  "A refused published secret is fixed soon after %s can be reached again",
  async (_what, prefix) => {
    const world = await adopted(singleAdmin);
    await rotate(world);
    setPassword(world, "app", "overwritten");
    await requestCheck(world);
    world.setFault(down(prefix));
    await workFor(world, 35 * minute);
    world.setFault(() => undefined);
    expect(await untilServed(world)).toBeLessThanOrEqual(35 * minute);
    await workFor(world, hour);
    expect((await readRecord(world)).health).toBe("healthy");
  },
);

test("A repeated change is proven at once, although the account was refused before", async () => {
  const world = await adopted(singleAdmin);
  let isFirst = true;
  const gate: Gate = (effect, call) => {
    if (effect !== "target.apply" || !isFirst) return call();
    isFirst = false;
    world.setFault(down("target.examine"));
    return Promise.reject(new OutcomeUnknownError("the line was lost"));
  };
  await request(world);
  await workFor(world, 3 * minute, gate);
  world.setFault(() => undefined);
  let changedAt = 0;
  const watching: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "target.apply") changedAt = Date.parse(world.now());
    return result;
  };
  while (changedAt === 0) await workFor(world, second, watching);
  await workFor(world, second);
  expect(world.publishedWorks()).toBe(true);
});

test.each<[string, (world: World) => Promise<void>]>([
  [
    "while no worker holds the target",
    async (world) => {
      await writeByHand(world, "app", "a typo");
      await work(world, open, true);
    },
  ],
  [
    "while a worker holds the target",
    async (world) => {
      await request(world);
      await work(world, async (effect, call) => {
        const result = await call();
        if (effect === "consumer.refresh") {
          await writeByHand(world, "app", "a typo");
          await work(world, open, true);
        }
        return result;
      });
    },
  ],
  [
    "while the target is down for a moment",
    async (world) => {
      await writeByHand(world, "app", "a typo");
      world.setFault(down("target."));
      await work(world, open, true);
      world.setFault(() => undefined);
    },
  ],
])(
  "A wrong secret that a person publishes is detected and replaced: %s",
  async (_when, happens) => {
    const world = await adopted(singleAdmin);
    await rotate(world);
    world.advance(hour);
    await happens(world);
    await workFor(world, day);
    expect(world.publishedWorks()).toBe(true);
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
    expect(world.notifier.sent.map(({ type }) => type)).toContain("drift.found");
  },
);

test("A target whose published secret is refused is not healthy, even before the secret is replaced", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  world.advance(hour);
  await writeByHand(world, "app", "a typo");
  await work(world, open, true);
  expect(await readRecord(world)).toMatchObject({ health: "failing", refusedSince: world.now() });
});

test("A failed restore does not prevent the request for a rotation that fixes the target", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  setPassword(world, "app_b", "by hand");
  world.advance(day);
  world.setFault((effect) =>
    effect === "vault.write" ? new VaultUnavailableError("no right to write") : undefined,
  );
  await workFor(world, hour);
  expect((await readRecord(world)).health).toBe("failing");
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({ reason: "drift" });
  const alarms = world.notifier.sent.filter(({ type }) => type === "alarm");
  expect(alarms.map(({ data }) => data["kind"])).toContain("published-broken");
  world.setFault(() => undefined);
  await workFor(world, hour);
  expect(world.publishedWorks()).toBe(true);
});

test("A rotation that failed after a change leaves consumers with a working secret", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  let isLost = false;
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "vault.write" && world.vault.versions("app-db").length === 2 && !isLost) {
      isLost = true;
      world.loseLastCommit();
      world.system.admins.delete("admin");
    }
    return result;
  });
  await workFor(world, hour);
  expect(world.publishedWorks()).toBe(true);
});

test("Consumers are refreshed and an alarm is raised when an older secret was published again", async () => {
  const world = await adopted(pairAdmin);
  const { policy } = world.target;
  Object.assign(world.target, { policy: { ...policy, manualOnly: true } });
  await rotate(world);
  const refreshes = world.consumer.refreshes.length;
  setPassword(world, "app_b", "by hand");
  await workFor(world, 2 * day);
  expect(world.publishedWorks()).toBe(true);
  expect(world.consumer.refreshes.length).toBeGreaterThan(refreshes);
  const alarms = world.notifier.sent.filter(({ type }) => type === "alarm");
  expect(alarms.map(({ data }) => data["kind"])).toEqual(["published-restored"]);
});

test.each([
  [singleAdmin, /\(manualOnly\), so request a rotation, or store the present password of/],
  [singleSelf, /\(manualOnly\), so store the present password of the account in it$/],
])(
  "A healthy target that only people rotate raises one alarm with what to do when its secret is refused: $name",
  async (kind, advice) => {
    const world = await adopted(kind);
    const { policy } = world.target;
    Object.assign(world.target, { policy: { ...policy, manualOnly: true, every: undefined } });
    await work(world);
    setPassword(world, "app", "by hand");
    await workFor(world, 5 * day);
    const alarms = () => world.notifier.sent.filter(({ type }) => type === "alarm");
    expect(alarms()).toHaveLength(1);
    const { kind: alarm, message } = alarms()[0]?.data ?? {};
    expect(alarm).toBe("published-broken");
    expect(message).toMatch(advice);
    expect((await readRecord(world)).lastFailure?.message).toBe(message);

    setPassword(world, "app", "first-secret-of-app");
    await verifyPublished(world.ports(open), world.target);
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
    setPassword(world, "app", "by hand again");
    await workFor(world, 5 * day);
    expect(alarms()).toHaveLength(2);
  },
);

test("A target is healthy again once a person has fixed it", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  const version = world.vault.versions("app-db").at(-1);
  if (!version) throw new Error("nothing is published");
  world.advance(day - minute);
  await world.vault.disable(version.ref, new AbortController().signal);
  await workFor(world, hour);
  expect((await readRecord(world)).health).toBe("failing");
  world.vault.enable(version.ref);
  await workFor(world, 2 * day);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
  expect((await readRecord(world)).lastFailure).toBeUndefined();
});

test("A failed adoption raises exactly one alarm", async () => {
  const broken = await makeWorld(singleSelf);
  setPassword(broken, "app", "another one");
  await workFor(broken, 5 * day);
  const alarms = broken.notifier.sent.filter(({ type }) => type === "alarm");
  expect(alarms.length).toBeGreaterThan(0);
  expect(alarms.length).toBeLessThan(4);
  expect(alarms[0]?.data).toMatchObject({ kind: "adoption" });
});

test("A published secret that was deleted is reported, and checked again until it is back", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  await requestCheck(world);
  world.vault.remove("app-db");
  await workFor(world, 2 * hour);
  expect((await readRecord(world)).health).toBe("failing");
  const alarms = world.notifier.sent.filter(({ type }) => type === "alarm");
  expect(alarms.map(({ data }) => data["message"]).join()).toContain("app-db is deleted");
  world.vault.recover("app-db");
  await workFor(world, hour);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
});

test.each(["while no worker holds the target", "while a worker holds the target"])(
  "A person may publish a new secret first and set it on the target minutes later: %s",
  async (when) => {
    const world = await adopted(singleAdmin);
    await rotate(world);
    world.advance(hour);
    if (when === "while no worker holds the target") {
      await writeByHand(world, "app", "new");
      await work(world, open, true);
    } else {
      await request(world);
      await work(world, async (effect, call) => {
        const result = await call();
        if (effect === "consumer.refresh") {
          await writeByHand(world, "app", "new");
          await work(world, open, true);
        }
        return result;
      });
    }
    const changes = world.applied.size;
    await workFor(world, 5 * minute);
    setPassword(world, "app", "new");
    await workFor(world, day);
    expect(world.applied.size).toBe(changes);
    expect(world.publishedWorks()).toBe(true);
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
  },
);
