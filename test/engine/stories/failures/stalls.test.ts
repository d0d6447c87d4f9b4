import { expect, test } from "vitest";
import { TargetUnavailableError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute, second } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import {
  adopted,
  keyed,
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
  pairSelf,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

// Regression tests: each of these cases once looped or stalled.

const never = new AbortController().signal;

const told = (world: World) => world.notifier.sent.map(({ type }) => type);

const neverAccepts: Gate = async (effect, call) =>
  effect === "target.verify" ? ("rejected" as Awaited<ReturnType<typeof call>>) : call();

test("A target that takes a secret but does not accept it is tried less and less often, and recovers once it does", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world);
  const end = Date.parse(world.now()) + 3 * day;
  const asked: number[] = [];
  while (Date.parse(world.now()) < end) {
    const before = world.system.logIns;
    world.advanceTo((await work(world, neverAccepts)) ?? "");
    asked.push(world.system.logIns - before);
  }
  expect((await readRecord(world)).health).toBe("failing");
  expect(told(world).filter((type) => type === "rotation.stalled")).toHaveLength(1);
  expect(asked.length).toBeLessThan(170);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("An account that changes itself is blocked once all its secrets are refused, and no further log-in is tried", async () => {
  const world = await adopted(singleSelf);
  await request(world);
  let wakes = 0;
  for (; wakes < 40; wakes++) {
    const wake = await work(world, refusesAfterChange(world));
    if (wake === undefined) break;
    world.advanceTo(wake);
  }
  expect((await readRecord(world)).health).toBe("blocked");
  expect(wakes).toBeLessThan(40);
});

/** Refuses every log-in after the secret was changed. */
function refusesAfterChange(world: World): Gate {
  return (effect, call) => (world.applied.size > 0 ? neverAccepts(effect, call) : call());
}

test("A pair gets its last working secret back when the target refuses the new one after a while", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  let changed = false;
  await work(world, (effect, call) => {
    const isPublished = world.vault.versions("app-db").length > 1;
    if (effect === "target.verify" && isPublished && !changed) {
      changed = true;
      setPassword(world, "app_b", "changed by somebody");
    }
    return call();
  });
  expect(world.publishedWorks()).toBe(true);
  expect(world.events.map(({ type }) => type)).toContain("restored");
  world.advance(12 * minute);
  await work(world);
  expect((await readRecord(world)).active).toBe("app_b");
  expect(world.publishedWorks()).toBe(true);
});

test("A rotation whose work is undone repeatedly keeps a small record and slows down", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const other: Gate = async (effect, call) => {
    const result = await call();
    const phase = (await readRecord(world)).rotation?.phase;
    if (effect === "vault.write" && phase === "publishing") {
      await writeByHand(world, "app", "written by a pipeline");
    }
    return result;
  };
  let tries = 0;
  for (const end = Date.parse(world.now()) + 5 * day; Date.parse(world.now()) < end; tries++) {
    const wake = await work(world, other);
    world.advanceTo(wake ?? "");
    if (wake === undefined) break;
  }
  expect(tries).toBeLessThan(300);
  expect((await readRecord(world)).rotation?.phases.length).toBeLessThanOrEqual(20);
  world.advance(7 * hour);
  await work(world);
  expect(world.publishedWorks()).toBe(true);
});

test("An account that was removed from the configuration is no longer changed", async () => {
  const world = await adopted(pairAdmin);
  const id = await request(world);
  await work(world, (effect, call) =>
    effect === "target.verify" ? Promise.reject(new TargetUnavailableError("down")) : call(),
  );
  const account = (await readRecord(world)).rotation?.account ?? "";
  world.advance(12 * minute);
  const slots = world.target.slots.filter((slot) => slot.account !== account);
  await workOn(world.ports(open), { ...world.target, slots });
  expect((await world.journal.run("app", id))?.state).toBe("failed");
  expect(
    world.system.passwords.get(account)?.equals(new Secret(`first-secret-of-${account}`)),
  ).toBe(true);
});

test("A new published secret is checked when the configuration changes, not at the next due moment", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  const renamed = { ...world.target, publish: { ...world.target.publish, name: "new-name" } };
  await workOn(world.ports(open), renamed);
  expect(world.vault.versions("new-name").at(-1)?.enabled).toBe(true);
  expect((await readRecord(world)).published?.name).toBe("new-name");
});

test("A failed check for drift delays the change, so that the account in use is not changed", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_a", "first-secret-of-app_a");
  world.advance(10 * second);
  await request(world);
  let throttled = false;
  await work(world, (effect, call) => {
    if (effect === "vault.read" && !throttled) {
      throttled = true;
      return Promise.reject(new VaultUnavailableError("throttled"));
    }
    return call();
  });
  expect(world.publishedWorks()).toBe(true);
  world.advance(12 * minute);
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "target.apply") expect(world.publishedWorks()).toBe(true);
    return result;
  });
  expect((await readRecord(world)).active).toBe("app_b");
});

test("An empty password in the vault does not end the search for a working one", async () => {
  const world = await adopted(singleSelf);
  await writeByHand(world, "app", "");
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A bug postpones the target, raises an alarm at once, and leaves no claim", async () => {
  const world = await adopted(singleAdmin);
  world.advance(90 * day);
  const ports = world.ports(open);
  let calls = 0;
  const newId = () => {
    // The first id is that of the claim, the second that of the rotation.
    if (++calls === 2) throw new RangeError("a bug");
    return ports.newId();
  };
  await workOn({ ...ports, newId }, world.target);
  const record = await readRecord(world);
  expect(record.claim.owner).toBeUndefined();
  expect(record).toMatchObject({ health: "failing", lastFailure: { kind: "bug" } });
  expect(await world.journal.alarms(5)).toMatchObject([{ kind: "bug", targetId: "app" }]);
  expect(await work(world)).toBe(record.restUntil);
  world.advanceTo(record.restUntil ?? "");
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A rotation creates few versions when its pending version disappears repeatedly", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "vault.write") {
      for (const { ref } of world.vault.versions("keyturn-pending-app")) {
        await world.vault.disable(ref, never);
      }
    }
    return result;
  });
  expect(world.vault.versions("keyturn-pending-app").length).toBeLessThan(3);
});

test("A burst of requests does not cost the worker its claim", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  let sent = 0;
  const burst: Gate = async (effect, call) => {
    const result = await call();
    const busy = (await readRecord(world)).rotation?.phase === "applying";
    if (busy && sent < 8 && (effect === "target.apply" || effect === "journal.read")) {
      sent++;
      await request(world, { requestedBy: `somebody ${sent}`, key: keyed(`key ${sent}`) });
    }
    return result;
  };
  await work(world, burst);
  expect(sent).toBeGreaterThan(2);
  expect(world.events.map(({ type }) => type)).not.toContain("lease-lost");
  expect(world.publishedWorks()).toBe(true);
});

test("A request with a longer grace does not extend the life of an exposed secret", async () => {
  const world = await adopted(pairAdmin);
  await request(world, { reason: "exposure", grace: 0, requestedBy: "security" });
  await work(world, (effect, call) =>
    effect === "target.verify" ? Promise.reject(new TargetUnavailableError("down")) : call(),
  );
  await request(world, { grace: 24 * hour });
  await work(world);
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({
    reason: "exposure",
    requestedBy: "security",
  });
});

test("An exposure that joins a scheduled rotation becomes its reason in the history", async () => {
  const world = await adopted(pairAdmin);
  world.advance(90 * day);
  await work(world, (effect, call) =>
    effect === "target.verify" ? Promise.reject(new TargetUnavailableError("down")) : call(),
  );
  await request(world, { reason: "exposure", requestedBy: "security" });
  await work(world);
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({
    reason: "exposure",
    requestedBy: "security",
    state: "done",
  });
});

test("A consumer that is down does not keep others from being refreshed, and the history names it", async () => {
  const world = await adopted(singleAdmin);
  const ports = world.ports(open);
  const dead = { name: "dead", refresh: () => Promise.reject(new Error("dead was not asked.")) };
  const both = {
    ...ports,
    consumer: (name: string) => (name === "dead" ? dead : ports.consumer(name)),
  };
  const target = { ...world.target, consumers: ["dead", "app"] };
  const id = await request(world);
  for (let tries = 0; tries < 4; tries++) {
    await workOn(both, target);
    world.advance(12 * minute);
  }
  expect(world.consumer.refreshes.length).toBeGreaterThan(0);
  const run = await world.journal.run("app", id);
  expect(run).toMatchObject({ state: "done", failure: { message: "dead was not asked." } });
  const told = world.notifier.sent.find(({ type }) => type === "rotation.succeeded");
  expect(told?.data["leftUndone"]).toBe("dead was not asked.");
});

test("A grace that Keyturn cannot keep is rejected", async () => {
  const single = await adopted(singleAdmin);
  await expect(request(single, { grace: 0 })).rejects.toThrow("Remove `grace`");
  const self = await adopted(pairSelf);
  await expect(request(self, { grace: 0 })).rejects.toThrow("Remove `grace`");
});
