import { expect, test } from "vitest";
import { ChangeRefusedError, TargetUnavailableError } from "../../../../shared/core/errors.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { computeFingerprint, type Target } from "../../../../shared/core/target.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { makeOperations } from "../../../../shared/engine/operations.ts";
import { register } from "../../../../shared/engine/scheduling/register.ts";
import { makeMemoryJournal } from "../../../../shared/stores/memory/memory-journal.ts";
import { makeMemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { adoptAll, makeFleet, policies, readEtags } from "../../fleet.ts";
import { nights, withPolicy, work, worldWith, yearEnd } from "../../policy-world.ts";
import { adopted, failing, readRecord, request } from "../../steps.ts";
import { open, singleAdmin, type World } from "../../world.ts";

const start = "2026-01-01T00:00:00.000Z";
const later = plus(start, hour);

const edited = (name: string, fields: Partial<Policy>) =>
  makeFleet(policies.map((policy) => (policy.name === name ? { ...policy, ...fields } : policy)));

const gold = ["t00", "t03", "t06", "t09", "t12", "t15", "t18", "t21", "t24", "t27"];
const silver = ["t01", "t04", "t07", "t10", "t13", "t16", "t19", "t22", "t25", "t28", "t29"];

test.each<[string, readonly Target[], readonly string[]]>([
  ["the grace of one policy reschedules all its targets", edited("gold", { grace: hour }), gold],
  [
    "a policy that targets name reschedules those that match and those that name it",
    edited("silver", { every: 50 * day }),
    silver,
  ],
  [
    "a field that some targets override reschedules all other targets of the policy",
    edited("gold", { every: 20 * day }),
    gold.filter((id) => id !== "t00" && id !== "t03"),
  ],
  ["nothing reschedules no target", edited("gold", {}), []],
])("An edit of %s, and no other row is written", async (_what, after, touched) => {
  let now = start;
  const journal = makeMemoryJournal({ now: () => new Date(now) });
  await adoptAll(journal, makeFleet(policies), start);
  const before = await readEtags(journal, after);
  const written: string[] = [];
  const commit: typeof journal.commit = (change) => {
    written.push(change.record.targetId);
    return journal.commit(change);
  };
  now = later;
  expect(await register({ journal: { ...journal, commit } }, after)).toMatchObject({
    settled: true,
  });
  expect(written.toSorted()).toEqual(touched);
  const etags = await readEtags(journal, after);
  for (const target of after) {
    const record = (await journal.read(target.id))?.record;
    expect(record?.policyFingerprint).toBe(computeFingerprint(target));
    expect(etags.get(target.id) === before.get(target.id)).toBe(!touched.includes(target.id));
  }
  written.length = 0;
  await register({ journal: { ...journal, commit } }, after);
  expect(written).toEqual([]);
});

/** A process with this configuration. Counts how often it reads every row. */
function startProcess(world: World) {
  let listings = 0;
  const { emit, ...ports } = world.ports(open);
  const { journal } = world;
  const targets: typeof journal.targets = () => {
    listings++;
    return journal.targets();
  };
  const counted = { ...ports, journal: { ...journal, targets } };
  const queue = makeMemoryQueue(world.now);
  const process = makeOperations({
    ports: counted,
    queue,
    targets: [world.target],
    vaultAt: () => "main",
  });
  return { ...process(emit), listings: () => listings };
}

test("A process reads every row when it starts and then once an hour", async () => {
  const world = await adopted(singleAdmin);
  const process = startProcess(world);
  for (let minutes = 0; minutes < 180; minutes++) {
    await process.sweep();
    world.advance(minute);
  }
  expect(process.listings()).toBe(3);
});

test("A target that is claimed when its policy is edited keeps its worker, and the next sweep reschedules it", async () => {
  const world = await worldWith({});
  await work(world);
  await request(world);
  const after = withPolicy(world, { every: 30 * day });
  const process = startProcess(after);
  let swept = false;
  await work(world, async (effect, call) => {
    if (effect === "target.apply" && !swept) {
      swept = true;
      await process.sweep();
    }
    return call();
  });
  expect(swept).toBe(true);
  expect(world.events.some(({ type }) => type === "lease-lost")).toBe(false);
  const old = await readRecord(world);
  expect(old).toMatchObject({ health: "healthy", nextDue: plus(world.now(), 90 * day) });
  await process.sweep();
  expect((await readRecord(world)).nextDue).toBe(plus(world.now(), 30 * day));
  expect((await readRecord(world)).claim).toEqual(old.claim);
});

test("A due moment that a worker of an old deployment sets is corrected by the new deployment within the hour", async () => {
  const world = await worldWith({});
  await work(world);
  const after = withPolicy(world, { every: 30 * day });
  const process = startProcess(after);
  await process.sweep();
  expect((await readRecord(world)).nextDue).toBe(plus(start, 30 * day));
  await work(world, open, true);
  expect((await readRecord(world)).nextDue).toBe(plus(start, 90 * day));
  world.advance(hour);
  await process.sweep();
  expect((await readRecord(world)).nextDue).toBe(plus(start, 30 * day));
});

test("A write that lost a race is repeated by the next sweep", async () => {
  const world = await worldWith({});
  await work(world);
  const after = withPolicy(world, { every: 30 * day });
  const { journal } = world;
  let lost = false;
  const read: typeof journal.read = async (id) => {
    const found = await journal.read(id);
    if (!lost) {
      lost = true;
      await request(world);
    }
    return found;
  };
  const { emit, ...ports } = world.ports(open);
  const racing = { ...ports, journal: { ...journal, read } };
  const queue = makeMemoryQueue(world.now);
  const process = makeOperations({
    ports: racing,
    queue,
    targets: [after.target],
    vaultAt: () => "main",
  })(emit);
  await process.sweep();
  const { request: waiting, nextDue } = await readRecord(world);
  expect([lost, nextDue]).toEqual([true, plus(start, 90 * day)]);
  await process.sweep();
  expect(await readRecord(world)).toMatchObject({
    request: waiting,
    nextDue: plus(start, 30 * day),
  });
});

test("An edit during a rotation needs no further sweep once the rotation has ended", async () => {
  const world = await worldWith({});
  await work(world);
  await request(world);
  await work(
    world,
    failing("consumer.refresh", 1, () => new Error("down")),
  );
  const publish = { ...world.target.publish, name: "app-elsewhere" };
  const moved = { ...world, target: { ...world.target, publish } };
  world.advance(hour);
  await work(moved);
  const record = await readRecord(world);
  expect(record.rotation).toBeUndefined();
  expect(record.policyFingerprint).toBe(computeFingerprint(moved.target));
  const adoptions = world.notifier.sent.filter(({ type }) => type === "credential.adopted");
  expect(adoptions).toHaveLength(2);
});

test("A rotation that waits for its window starts when an edit opens the window, and only then", async () => {
  const world = await worldWith({ ...nights, every: day });
  await work(world);
  world.advanceTo("2026-01-02T03:59:00.000Z");
  await work(
    world,
    failing("target.verify", 9, () => new TargetUnavailableError("down")),
  );
  world.advanceTo("2026-01-02T05:00:00.000Z");
  await work(world);
  const { rotation } = await readRecord(world);
  expect(rotation?.nextAttemptAt).toBe("2026-01-03T02:00:00.000Z");
  expect(rotation?.heldBy).toContain("no window");
  const earlier = withPolicy(world, { between: [{ from: "01:00", to: "03:00" }] });
  await work(earlier);
  expect((await readRecord(world)).rotation?.nextAttemptAt).toBe("2026-01-03T01:00:00.000Z");
  const { etag } = (await world.journal.read("app")) ?? {};
  await work(earlier);
  expect((await world.journal.read("app"))?.etag).toBe(etag);
  expect(world.applied.size).toBe(0);
  const process = startProcess(withPolicy(world, { between: [{ from: "05:00", to: "07:00" }] }));
  expect(await process.sweep()).toBe(1);
  await process.work({ targetId: "app", because: "due" });
  expect(world.applied.size).toBe(1);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A retry that waits for the end of a freeze starts when an edit removes the freeze", async () => {
  const freeze = [{ from: "2026-01-01T01:00:00Z", to: "2026-01-07", reason: "audit", lift: [] }];
  const world = await worldWith({ freeze });
  await work(world);
  const id = await request(world, { requestedBy: "anna" });
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  world.advance(2 * hour);
  await work(world);
  expect(await readRecord(world)).toMatchObject({
    nextDue: "2026-01-08T00:00:00.000Z",
    again: { requestedBy: "anna", heldBy: expect.stringContaining("audit") as string },
  });
  await work(withPolicy(world, { freeze: [] }));
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({
    state: "done",
    requestedBy: "anna",
    why: `another attempt, because rotation ${id} failed`,
  });
  expect(await readRecord(world)).not.toHaveProperty("again");
});

test("An edit does not affect a rotation whose change has begun, or one that waits for its next try", async () => {
  for (const effect of ["target.verify", "target.apply"]) {
    const world = await worldWith({ every: day });
    await work(world);
    world.advance(day);
    await work(
      world,
      failing(effect, 9, () => new TargetUnavailableError("down")),
    );
    const { record, etag } = (await world.journal.read("app")) ?? {};
    expect(record?.rotation).toMatchObject({ changeBegan: effect === "target.apply" });
    const after = withPolicy(world, { every: 2 * day, freeze: [{ ...yearEnd, lift: [] }] });
    await register(world.ports(open), [after.target]);
    expect((await world.journal.read("app"))?.etag).toBe(etag);
  }
});

test("Rows that cannot be listed do not delay due targets, and are listed again", async () => {
  const world = await adopted(singleAdmin);
  world.advance(90 * day);
  const { emit, ...ports } = world.ports(open);
  const { journal } = world;
  let asked = 0;
  const targets: typeof journal.targets = () => {
    asked++;
    return asked === 1 ? Promise.reject(new Error("too many rows")) : journal.targets();
  };
  const queue = makeMemoryQueue(world.now);
  const failingOnce = { ...ports, journal: { ...journal, targets } };
  const process = makeOperations({
    ports: failingOnce,
    queue,
    targets: [world.target],
    vaultAt: () => "main",
  })(emit);
  await expect(process.sweep()).rejects.toThrow("too many rows");
  expect(queue.messages).toHaveLength(1);
  expect(await process.sweep()).toBe(0);
  expect(asked).toBe(2);
});

test("A target that was removed from the configuration during a rotation is reported once, not with every registration", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(
    world,
    failing("consumer.refresh", 1, () => new Error("down")),
  );
  const { emit, ...ports } = world.ports(open);
  const queue = makeMemoryQueue(world.now);
  const process = makeOperations({ ports, queue, targets: [], vaultAt: () => "main" })(emit);
  for (let hours = 0; hours < 3; hours++) {
    await process.sweep();
    world.advance(hour);
  }
  const told = await world.journal.alarms(9);
  expect(told.map(({ kind, targetId }) => [kind, targetId])).toEqual([["gave-up", "app"]]);
});
