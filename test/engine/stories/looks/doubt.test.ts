import { expect, test } from "vitest";
import { OutcomeUnknownError } from "../../../../shared/core/errors.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute, second } from "../../../../shared/core/time.ts";
import type { Ports } from "../../../../shared/engine/ports.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { workFor } from "../../proofs/disturbed.ts";
import {
  adopted,
  ask,
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
  singleIdentity,
  singleSelf,
  type World,
} from "../../world.ts";

const never = new AbortController().signal;

/** Ports to a vault that still returns the version before the newest one. */
function behind(world: World, gate: Gate = open): Ports {
  const ports = world.ports(gate);
  const vault = ports.vault("main");
  if (!vault) throw new Error("there is no vault");
  return {
    ...ports,
    vault: () => ({
      ...vault,
      readCurrent: (name, signal) => {
        const old = name === "app-db" ? world.vault.versions(name).at(-2) : undefined;
        return old ? vault.readVersion(old.ref, signal) : vault.readCurrent(name, signal);
      },
    }),
  };
}

test("An outdated answer of the vault does not make Keyturn change the published account", async () => {
  const world = await adopted(pairAdmin);
  world.advance(second);
  await rotate(world);
  world.advance(hour);
  await request(world);
  await workOn(behind(world), world.target);
  expect(world.applied.size).toBe(1);
  expect(world.publishedWorks()).toBe(true);
  expect(await readRecord(world)).toMatchObject({ active: "app_b" });
  await workFor(world, hour);
  expect(world.applied.size).toBe(2);
});

test("A vault event with an outdated answer adopts nothing and keeps the retirement", async () => {
  const world = await adopted(pairAdmin);
  world.advance(second);
  await rotate(world);
  await workOn(behind(world), world.target, { checkDrift: true });
  expect(world.notifier.sent.map(({ type }) => type)).not.toContain("drift.found");
  await workFor(world, 2 * day);
  expect(world.isKept("app_a")).toBe(false);
  expect(await readRecord(world)).toMatchObject({ active: "app_b", health: "healthy" });
});

test("A pending version that may be live is not discarded when the next worker is refused", async () => {
  const world = await adopted({ ...singleIdentity, propagation: 5 * minute });
  await request(world);
  let late: Secret | undefined;
  const gate: Gate = (_effect, call) =>
    late ? Promise.reject(new JournalUnavailableError("it is dead")) : call();
  const ports = world.ports(gate);
  const rotator = ports.rotator("memory");
  const apply: typeof rotator.apply = ({ next }) => {
    late = next.secret;
    return Promise.resolve({ credential: next });
  };
  await workOn({ ...ports, rotator: () => ({ ...rotator, apply }) }, world.target).catch(() => {
    // The worker died.
  });
  const refused: typeof rotator = {
    ...world.ports(open).rotator("memory"),
    examine: () => Promise.resolve({ obstacles: [], right: { is: "missing", why: "no right" } }),
  };
  world.advance(130 * second);
  await workOn({ ...world.ports(open), rotator: () => refused }, world.target);
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({ state: "failed" });
  world.system.passwords.set("app", late ?? new Secret(""));
  expect(world.isKept("app")).toBe(true);
  expect((await readRecord(world)).slots[0]?.abandoned).toBeDefined();
});

test("A pending version that a person disables during the checks is not set on the target", async () => {
  const world = await adopted(singleSelf);
  await request(world);
  await work(world, async (effect, call) => {
    const pending = world.vault.versions("keyturn-pending-app").at(-1);
    if (effect === "target.verify" && pending && world.applied.size === 0) {
      await world.vault.disable(pending.ref, never);
    }
    return call();
  });
  expect(world.isKept("app")).toBe(true);
  expect(world.publishedWorks()).toBe(true);
});

test("A request that comes during a log-in is not overwritten", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  world.advance(30 * hour);
  await work(world);
  await request(world);
  let isWritten = false;
  let isAsked = false;
  const ports = world.ports(async (effect, call) => {
    const { rotation } = await readRecord(world);
    const isHere = rotation?.phase === "publishing" && effect === "vault.read";
    if (isHere) world.advance(21 * second);
    if (isHere && !isWritten) {
      isWritten = true;
      const other = rotation.account === "app_a" ? "app_b" : "app_a";
      await writeByHand(world, other, world.system.passwords.get(other)?.reveal() ?? "");
    }
    const result = await call();
    if (isHere && !isAsked) {
      isAsked = true;
      await ask(world, { reason: "exposure", requestedBy: "security", grace: 0 });
    }
    return result;
  });
  await workOn({ ...ports, deadline: () => never }, world.target);
  await workFor(world, minute);
  const live = ["app_a", "app_b"].filter((account) => world.isKept(account));
  expect(isAsked).toBe(true);
  expect(live).toHaveLength(1);
});

test("The message about an account that is locked after the change does not claim that nothing was changed", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "target.apply") world.system.obstacles.set("app", "Account app is locked.");
    return result;
  });
  await workFor(world, minute);
  expect((await readRecord(world)).lastFailure?.message).toBe(
    "Account app is locked; the target may already have the new secret, and may refuse consumers until Keyturn has verified the change",
  );
});

test("An account that is removed from the configuration during its change is not reported as changed by hand", async () => {
  const world = await adopted(pairSelf);
  setPassword(world, "app_c", "c");
  const value = new Secret(JSON.stringify({ username: "app_c", password: "c" }));
  await world.vault.write("app-third", { value, contentType: "", tags: {} }, never);
  await request(world);
  let isLost = false;
  await work(world, (effect, call) => {
    if (effect !== "target.apply" || isLost) return call();
    isLost = true;
    return Promise.reject(new OutcomeUnknownError("the line was lost"));
  });
  const [first] = world.target.slots;
  if (!first) throw new Error("the target has no account");
  const edited = {
    ...world.target,
    slots: [first, { account: "app_c", initial: { vault: "main", name: "app-third" } }],
  };
  for (let turn = 0; turn < 20; turn++) {
    await workOn(world.ports(open), edited);
    world.advance(minute);
  }
  const messages = world.events.map(({ failure }) => failure?.message ?? "");
  expect(messages.filter((message) => message.includes("by hand"))).toEqual([]);
  expect(world.publishedWorks()).toBe(true);
});

test("Consumers of a pair get the grace when the target publishes another secret, which holds the other account", async () => {
  const world = await adopted(pairAdmin);
  const value = new Secret(
    JSON.stringify({ username: "app_b", password: "first-secret-of-app_b" }),
  );
  await world.vault.write("app-db2", { value, contentType: "", tags: {} }, never);
  world.advance(99 * day);
  const edited = { ...world.target, publish: { ...world.target.publish, name: "app-db2" } };
  const end = Date.parse(world.now()) + world.target.grace - minute;
  while (Date.parse(world.now()) < end) {
    await workOn(world.ports(open), edited);
    world.advance(10 * minute);
    if (Date.parse(world.now()) < end) expect(world.publishedWorks()).toBe(true);
  }
});

test.each([singleAdmin, singleIdentity, pairAdmin])(
  "Nothing is changed while the secret that Keyturn published cannot be found: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    world.advance(91 * day);
    const ports = world.ports(open);
    const vault = ports.vault("main");
    if (!vault) throw new Error("there is no vault");
    const readCurrent: typeof vault.readCurrent = (name, signal) =>
      name === "app-db" ? Promise.resolve("absent") : vault.readCurrent(name, signal);
    for (let turn = 0; turn < 5; turn++) {
      await workOn({ ...ports, vault: () => ({ ...vault, readCurrent }) }, world.target);
      world.advance(20 * minute);
    }
    expect(world.applied.size).toBe(1);
    const messages = world.events.map(({ failure }) => failure?.message ?? "").join();
    expect(messages).toContain("which Keyturn published, no longer exists");
    await workFor(world, day);
    expect(world.applied.size).toBeGreaterThan(1);
    expect(world.publishedWorks()).toBe(true);
  },
);

test("A published secret that was purged is written again once a person requests a rotation", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  world.vault.purge("app-db");
  await request(world);
  await work(world);
  expect(world.applied.size).toBe(1);
  await workFor(world, hour);
  expect(world.publishedWorks()).toBe(true);
});
