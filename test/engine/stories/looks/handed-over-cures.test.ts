import { describe, expect, test } from "vitest";
import { OutcomeUnknownError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import type { Target } from "../../../../shared/core/target.ts";
import { day, hour, minute, plus, second } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { recordUse } from "../../../../shared/engine/inbox/record-use.ts";
import { requestRotation } from "../../../../shared/engine/inbox/request-rotation.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import {
  adopted,
  ask,
  failing,
  readRecord,
  request,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import { type Gate, open, pairAdmin, pairSelf, type World } from "../../world.ts";

const first = "first-secret-of-app_b";
const isUnchanged = (world: World) =>
  world.system.passwords.get("app_a")?.reveal() === "first-secret-of-app_a";
const vaultIsDown = failing("vault.write", 100, () => new VaultUnavailableError("down"));

/** A person publishes the idle account, and a vault event announces it. */
async function publishByHand(world: World): Promise<void> {
  await writeByHand(world, "app_b", first);
  await work(world, open, true);
}

/** Neither account has a stored secret any more, and a vault event announces the last version. */
async function breakAll(
  world: World,
  see: () => Promise<unknown> = () => work(world, open, true),
): Promise<void> {
  setPassword(world, "app_a", "nobody knows it");
  setPassword(world, "app_b", "nobody knows it");
  await writeByHand(world, "app_b", "never worked");
  await see();
}

/** Minutes of the next 30 hours in which the published secret did not work. */
async function countBrokenMinutes(
  world: World,
  see: () => Promise<unknown> = () => work(world),
): Promise<number> {
  let broken = 0;
  for (let passed = 0; passed < 30 * hour; passed += 10 * minute) {
    world.advance(10 * minute);
    await see();
    if (!world.publishedWorks()) broken += 10;
  }
  return broken;
}

/** A person's rotation that failed, because the vault was down, and is repeated later. */
async function failOnce(
  world: World,
  see: (gate: Gate) => Promise<unknown> = (gate) => work(world, gate),
): Promise<void> {
  for (let tries = 0; (await readRecord(world)).rotation ?? tries === 0; tries++) {
    await see(vaultIsDown);
    world.advance(hour);
  }
  expect((await readRecord(world)).again).toBeDefined();
}

describe("The cure of a published secret that does not work does not wait for a grace", () => {
  test("when a request waits for it", async () => {
    const world = await adopted(pairAdmin);
    world.advance(minute);
    await request(world);
    world.advance(2 * second);
    await publishByHand(world);
    expect((await readRecord(world)).request?.heldBy).toContain("until its grace ends");
    world.advance(hour);
    await breakAll(world);
    expect(await countBrokenMinutes(world)).toBeLessThan(60);
  });

  test("when a retry waits for it", async () => {
    const world = await adopted(pairAdmin);
    world.advance(minute);
    await request(world);
    await failOnce(world);
    await publishByHand(world);
    world.advance(6 * hour);
    await work(world);
    expect((await readRecord(world)).again?.heldBy).toContain("until its grace ends");
    await breakAll(world);
    expect(await countBrokenMinutes(world)).toBeLessThan(60);
  });

  test("when a rotation waits for it that only a person may start", async () => {
    const { world, see } = await requested({ manualOnly: true });
    await see(publishingBefore("vault.write", world));
    expect((await readRecord(world)).rotation?.heldBy).toContain("until its grace ends");
    world.advance(hour);
    await breakAll(world, () => see(open, true));
    const broken = await countBrokenMinutes(world, () => see());
    expect(broken).toBeLessThan(60);
  });

  test.each([pairAdmin, pairSelf])(
    "when the waiting rotation began a change whose outcome is unknown: $name",
    async (kind) => {
      const world = await adopted(kind);
      world.advance(minute);
      await request(world);
      const lost = failing("target.apply", 1, () => new OutcomeUnknownError("lost"));
      await work(world, lost);
      await writeByHand(world, "app_b", first);
      for (let tries = 0; tries < 2; tries++) {
        world.advance(hour);
        await work(world);
      }
      expect((await readRecord(world)).rotation?.heldBy).toBeDefined();
      // The change takes effect late.
      setPassword(world, "app_b", readPending(world));
      await work(world, open, true);
      await work(world, open, true);
      expect(world.isKept("app_b")).toBe(true);
      world.advance(25 * hour);
      await work(world);
      expect(world.publishedWorks()).toBe(true);
    },
  );

  test("when nobody can read a credential from the published secret", async () => {
    const world = await adopted(pairAdmin);
    world.advance(minute);
    await request(world);
    await work(world, publishingBefore("vault.write", world));
    world.advance(hour);
    await writeByHand(world, "somebody-else", "garbage");
    await work(world, open, true);
    expect(await countBrokenMinutes(world)).toBeLessThan(60);
  });
});

describe("The account that was published before keeps its password", () => {
  test("when another rule of the policy is due and an exposure is not", async () => {
    const { world, target, see } = await requested({ afterIdle: hour, afterExposure: 7 * day });
    await see(publishingBefore("vault.write", world));
    world.advance(minute);
    await expose(world.ports(open), target, { by: "ben", kind: "exposure" });
    await recordUse(world.ports(open), target, { by: "app" });
    for (let hours = 0; hours < 10; hours++) {
      await see();
      world.advance(hour);
    }
    expect(isUnchanged(world)).toBe(true);
  });

  test("when a retry notices the publication, with few writes", async () => {
    const { world, target, see } = await requested({ afterIdle: hour, afterExposure: 7 * day });
    await failOnce(world, (gate) => see(gate));
    await writeByHand(world, "app_b", first);
    await see(open, true);
    await expose(world.ports(open), target, { by: "ben", kind: "exposure" });
    await recordUse(world.ports(open), target, { by: "app" });
    let commits = 0;
    const counting: Gate = (effect, call) => {
      if (effect === "journal.commit") commits++;
      return call();
    };
    for (let hours = 0; hours < 10; hours++) {
      world.advance(hour);
      await see(counting);
    }
    expect(isUnchanged(world)).toBe(true);
    expect(commits).toBeLessThan(10);
  });

  test("when the retry of an earlier request finds the publication", async () => {
    const world = await adopted(pairAdmin);
    world.advance(minute);
    await request(world);
    await failOnce(world);
    world.advanceTo(plus((await readRecord(world)).nextDue ?? "", -10 * minute));
    await writeByHand(world, "app_b", first);
    world.advance(11 * minute);
    await work(world);
    expect((await readRecord(world)).active).toBe("app_b");
    expect(isUnchanged(world)).toBe(true);
  });

  test("while a person publishes another secret before setting it", async () => {
    const world = await adopted(pairAdmin);
    world.advance(minute);
    await request(world);
    await work(world, publishingBefore("vault.write", world));
    world.advance(hour);
    await writeByHand(world, "app_b", "set a minute later");
    await work(world, open, true);
    const target = withPolicy(world, { every: 80 * day });
    await workOn(world.ports(open), target, {});
    expect(isUnchanged(world)).toBe(true);
  });

  test("when the clock of the vault is five seconds behind that of the journal", async () => {
    const world = await adopted(pairAdmin);
    world.advance(hour);
    await publishByHand(world);
    world.advance(5 * second);
    await request(world);
    await work(world);
    expect(isUnchanged(world)).toBe(true);
  });
});

describe("An answer says until when the grace delays the rotation", () => {
  test("to a request of the same second", async () => {
    const world = await adopted(pairAdmin);
    await publishByHand(world);
    world.advance(second / 2);
    const { superseded } = await readRecord(world);
    const { waiting } = await ask(world);
    expect(waiting?.until).toBe(plus(superseded?.at ?? "", world.target.grace));
    expect(waiting?.why).toContain("consumers may use app_a");
  });

  test("to a report of an exposure that is not due yet", async () => {
    const world = await adopted(pairAdmin);
    const target = withPolicy(world, { afterExposure: 6 * hour });
    world.advance(minute);
    await request(world);
    await work(world, publishingBefore("vault.write", world));
    const outcome = await expose(world.ports(open), target, { by: "ben", kind: "exposure" });
    expect(outcome.why).toContain("waits until");
  });
});

test("A request that a person makes later ends the wait of the request that it joins", async () => {
  const world = await adopted(pairAdmin);
  world.advance(minute);
  const id = await request(world);
  await work(world, publishingBefore("vault.write", world));
  world.advance(2 * hour);
  expect((await ask(world, { requestedBy: "ben" })).rotationId).toBe(id);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

/** Publishes the idle account by hand, once, directly before this effect of the rotation. */
function publishingBefore(effect: string, world: World): Gate {
  let isDone = false;
  return async (name, call) => {
    if (name === effect && !isDone) {
      isDone = true;
      await writeByHand(world, "app_b", first);
    }
    return call();
  };
}

/** A pair under a policy with these fields, whose rotation a person has requested. */
async function requested(fields: Partial<Target["policy"]>) {
  const world = await adopted(pairAdmin);
  const target = withPolicy(world, fields);
  const see = (gate: Gate = open, checkDrift = false) =>
    workOn(world.ports(gate), target, { checkDrift });
  await see();
  world.advance(minute);
  const wanted = { reason: "operator", requestedBy: "anna" } as const;
  await requestRotation(world.ports(open), target, wanted);
  return { world, target, see };
}

function withPolicy(world: World, fields: Partial<Target["policy"]>): Target {
  return { ...world.target, policy: { ...world.target.policy, ...fields } };
}

/** The password of the pending version that the target may have. */
function readPending(world: World): string {
  const names = world.vault.names().filter((name) => name.includes("pending"));
  const value =
    names
      .flatMap((name) => world.vault.versions(name))
      .at(0)
      ?.value.reveal() ?? "{}";
  return (JSON.parse(value) as { password: string }).password;
}
