import { expect, test } from "vitest";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secret.ts";
import type { Target, VersionRef } from "../../shared/core/target.ts";
import { day, hour, minute } from "../../shared/core/time.ts";
import { workOn } from "../../shared/engine/worker.ts";
import type { Unreadable, Vault } from "../../shared/vaults/vault.ts";
import { adopted, recordOf, request, rotate, setPassword, work, writeByHand } from "./steps.ts";
import {
  type Gate,
  makeWorld,
  open,
  pairAdmin,
  pairSelf,
  singleAdmin,
  singleIdentity,
  singleSelf,
  type World,
} from "./world.ts";

// What once went wrong, or nearly: each of these was a way to lose a credential, to stall, or to mislead.

const never = new AbortController().signal;
const told = (world: World) => world.notifier.sent.map(({ type }) => type);

/** The vault of the world under another name; under its old one it is not to be found any more. */
function vaultNamed(name: string, world: World) {
  const main = world.ports(open).vault("main");
  const asMain = (ref: VersionRef) => ({ ...ref, vault: "main" });
  const renamed = <Stored extends { ref: VersionRef }>(stored: Stored | Unreadable) =>
    typeof stored === "string" ? stored : { ...stored, ref: { ...stored.ref, vault: name } };
  const vault: Vault | undefined = main && {
    readCurrent: async (secret, signal) => renamed(await main.readCurrent(secret, signal)),
    readVersion: async (ref, signal) => renamed(await main.readVersion(asMain(ref), signal)),
    write: async (...args) => ({ ...(await main.write(...args)), vault: name }),
    disable: (ref, signal) => main.disable(asMain(ref), signal),
  };
  return (asked: string) => (asked === name ? vault : undefined);
}

test("an account that somebody published again by hand is not retired", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_a", "first-secret-of-app_a");
  world.advance(25 * hour);
  await work(world);
  expect(world.publishedWorks()).toBe(true);
  expect((await recordOf(world)).active).toBe("app_a");
  expect(told(world)).not.toContain("credential.retired");
});

test("nothing is retired while what consumers read does not work", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_b", "never worked");
  world.advance(25 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
});

test("a change that lands late and is doubted again and again stays known as what the account has", async () => {
  const world = await adopted(singleSelf);
  for (let round = 0; round < 4; round++) {
    await request(world);
    await work(world, (effect, call) =>
      effect === "target.apply" ? Promise.reject(new OutcomeUnknownError("line lost")) : call(),
    );
    const pending = (await recordOf(world)).rotation?.pending;
    world.advance(12 * minute);
    await work(world, (effect, call) =>
      effect === "target.apply" ? Promise.reject(new ChangeRefusedError("no")) : call(),
    );
    const late = world.vault
      .versions("keyturn-pending-app")
      .find(({ ref }) => ref.version === pending?.version);
    const parsed = JSON.parse(late?.value.reveal() ?? "{}") as { password?: string };
    if (round === 0 && parsed.password) setPassword(world, "app", parsed.password);
    world.advance(7 * hour);
  }
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("a target that was changed and cannot be published is told, and is not called healthy", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const locked: Gate = (effect, call) =>
    effect === "vault.write" && world.applied.size > 0
      ? Promise.reject(new VaultUnavailableError("no right to write"))
      : call();
  for (let tries = 0; tries < 5; tries++) {
    await work(world, locked);
    world.advance(12 * minute);
  }
  expect((await recordOf(world)).health).toBe("failing");
  expect(told(world).filter((type) => type === "rotation.stalled")).toHaveLength(1);
  world.advance(7 * hour);
  await work(world);
  expect((await recordOf(world)).health).toBe("healthy");
  expect(world.publishedWorks()).toBe(true);
});

test("a vault that was renamed in the configuration does not hold up a rotation", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  const renamed: Target = {
    ...world.target,
    publish: { ...world.target.publish, vault: "prod" },
    authority: { as: "admin", secret: { vault: "prod", name: "app-admin" } },
  };
  const prod = { ...world.ports(open), vault: vaultNamed("prod", world) };
  await workOn(prod, renamed);
  expect((await recordOf(world)).health).toBe("healthy");
  await request(world);
  await workOn(prod, renamed);
  expect((await recordOf(world)).rotation).toBeUndefined();
  expect(world.publishedWorks()).toBe(true);
});

test("a refused secret is adopted as failing, and told", async () => {
  const world = await makeWorld(singleAdmin);
  setPassword(world, "app", "changed behind our back");
  await work(world);
  expect((await recordOf(world)).health).toBe("failing");
  expect(told(world)).toContain("drift.found");
});

test("a pair that changes itself is not adopted while one of its accounts cannot log in", async () => {
  const world = await makeWorld(pairSelf);
  setPassword(world, "app_b", "nobody knows this");
  await work(world);
  const record = await recordOf(world);
  expect(record.adoptedAt).toBeUndefined();
  expect(record.lastFailure?.message).toContain("app_b");
});

test("a request that comes while a blocked rotation is being told frees it all the same", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "set by a person");
  let asked = false;
  await request(world);
  await work(world, async (effect, call) => {
    const isBlocked = (await recordOf(world)).rotation?.phase === "blocked";
    if (effect === "notifier.send" && isBlocked && !asked) {
      asked = true;
      await writeByHand(world, "app", "set by a person");
      await request(world);
    }
    return call();
  });
  expect((await recordOf(world)).health).toBe("healthy");
  expect(world.publishedWorks()).toBe(true);
});

test("the grace of a request that joins a rotation under way is kept", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  let asked = false;
  await work(world, async (effect, call) => {
    if (
      effect === "vault.read" &&
      !asked &&
      (await recordOf(world)).rotation?.phase === "applying"
    ) {
      asked = true;
      await request(world, { reason: "exposure", grace: 0 });
    }
    return call();
  });
  await work(world);
  expect(asked).toBe(true);
  expect(world.isKept("app_a")).toBe(false);
});

test("a rotation because of an exposure stays one when it fails and is tried again", async () => {
  const world = await adopted(pairAdmin);
  await request(world, { reason: "exposure", grace: 0, requestedBy: "security" });
  await work(world, (effect, call) =>
    effect === "target.apply" ? Promise.reject(new ChangeRefusedError("no")) : call(),
  );
  world.advance(12 * minute);
  await work(world);
  await work(world);
  const [run] = await world.journal.runs("app", 1);
  expect(run).toMatchObject({ reason: "exposure", requestedBy: "security", state: "done" });
  expect(world.isKept("app_a")).toBe(false);
});

test("a target that takes a secret and never accepts it is not asked for ever", async () => {
  const world = await adopted({ ...singleIdentity, propagation: 5 * minute });
  await request(world);
  const locked: Gate = async (effect, call) =>
    effect === "target.verify" ? ("rejected" as Awaited<ReturnType<typeof call>>) : call();
  let wakes = 0;
  for (; wakes < 200; wakes++) {
    const wake = await work(world, locked);
    if (wake === undefined) break;
    world.advanceTo(wake);
  }
  expect((await recordOf(world)).health).toBe("blocked");
  expect(wakes).toBeLessThan(40);
});

test("a pair gets its last good secret back when the target refuses the new one after all", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  let changed = false;
  await work(world, async (effect, call) => {
    const phase = (await recordOf(world)).rotation?.phase;
    if (effect === "target.verify" && phase === "checking" && !changed) {
      changed = true;
      setPassword(world, "app_b", "changed by somebody");
    }
    return call();
  });
  expect(world.publishedWorks()).toBe(true);
  expect(world.events.map(({ type }) => type)).toContain("restored");
  world.advance(12 * minute);
  await work(world);
  expect((await recordOf(world)).active).toBe("app_b");
  expect(world.publishedWorks()).toBe(true);
});

test("a rotation whose work is undone again and again stays small, and slows down", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const other: Gate = async (effect, call) => {
    const result = await call();
    const phase = (await recordOf(world)).rotation?.phase;
    if (effect === "vault.write" && phase === "publishing") {
      await writeByHand(world, "app", "written by a pipeline");
    }
    return result;
  };
  let tries = 0;
  for (const end = Date.parse(world.now()) + 30 * day; Date.parse(world.now()) < end; tries++) {
    const wake = await work(world, other);
    world.advanceTo(wake ?? "");
    if (wake === undefined) break;
  }
  expect(tries).toBeLessThan(400);
  expect((await recordOf(world)).rotation?.phases.length).toBeLessThanOrEqual(20);
  world.advance(7 * hour);
  await work(world);
  expect(world.publishedWorks()).toBe(true);
});

test("an account that left the configuration is not changed any more", async () => {
  const world = await adopted(pairAdmin);
  const id = await request(world);
  await work(world, (effect, call) =>
    effect === "target.verify" ? Promise.reject(new TargetUnavailableError("down")) : call(),
  );
  const account = (await recordOf(world)).rotation?.account ?? "";
  world.advance(12 * minute);
  const slots = world.target.slots.filter((slot) => slot.account !== account);
  await workOn(world.ports(open), { ...world.target, slots });
  expect((await world.journal.run("app", id))?.state).toBe("failed");
  expect(
    world.system.passwords.get(account)?.equals(new Secret(`first-secret-of-${account}`)),
  ).toBe(true);
});

test("another secret to publish is looked at when the configuration changes, not at the next due moment", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  const renamed = { ...world.target, publish: { ...world.target.publish, name: "new-name" } };
  await workOn(world.ports(open), renamed);
  expect(world.vault.versions("new-name").at(-1)?.enabled).toBe(true);
  expect((await recordOf(world)).published?.name).toBe("new-name");
});

test("a drift that cannot be looked for delays the change instead of hitting the account in use", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_a", "first-secret-of-app_a");
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
  expect((await recordOf(world)).active).toBe("app_b");
});

test("an empty password in the vault does not end the search for one that works", async () => {
  const world = await adopted(singleSelf);
  await writeByHand(world, "app", "");
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("a bug rests the target, tells somebody at once, and leaves no claim behind", async () => {
  const world = await adopted(singleAdmin);
  world.advance(90 * day);
  const ports = world.ports(open);
  let calls = 0;
  const newId = () => {
    // The first id is the claim's, the second the rotation's.
    if (++calls === 2) throw new RangeError("a bug");
    return ports.newId();
  };
  await workOn({ ...ports, newId }, world.target);
  const record = await recordOf(world);
  expect(record.claim.owner).toBeUndefined();
  expect(record).toMatchObject({ health: "failing", lastFailure: { kind: "bug" } });
  expect(await world.journal.alarms(5)).toMatchObject([{ kind: "bug", targetId: "app" }]);
  expect(await work(world)).toBe(record.restUntil);
  world.advanceTo(record.restUntil ?? "");
  await work(world);
  expect((await recordOf(world)).health).toBe("healthy");
});

test("the versions of one rotation stay few when its pending version disappears again and again", async () => {
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
