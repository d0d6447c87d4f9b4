import { expect, test } from "vitest";
import { ChangeRefusedError } from "../../../../shared/core/errors.ts";
import { guessWindowMs, maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import { hour, minute, second } from "../../../../shared/core/time.ts";
import { accepted, importInto, issued, publishedIn } from "../../given-steps.ts";
import { withPolicy } from "../../policy-world.ts";
import { adopted, failing, readRecord, setPassword, work } from "../../steps.ts";
import { type Gate, pairAdmin, singleIdentity, type World } from "../../world.ts";

/** A system that takes minutes to accept a new password, rotated by people only. */
const slow = async (kind = singleIdentity) =>
  withPolicy(await adopted({ ...kind, propagation: 5 * minute }), { manualOnly: true });

/** The system accepts the password that an administrator has set only after this many milliseconds. */
function acceptedAfter(world: World, milliseconds: number): { gate: Gate; tries: () => number } {
  const since = Date.parse(world.now());
  let tries = 0;
  return {
    tries: () => tries,
    gate: async (effect, call) => {
      if (effect !== "target.verify") return call();
      const isNew = Date.parse(world.now()) - since >= milliseconds;
      setPassword(world, "app", isNew ? issued : "first-secret-of-app");
      const result = await call();
      if ((result as unknown) === "rejected") tries++;
      return result;
    },
  };
}

const versions = (world: World) => world.vault.versions("keyturn-pending-app");

async function workFor(world: World, milliseconds: number, gate: Gate): Promise<void> {
  for (let passed = 0; passed <= milliseconds; passed += 10 * second) {
    await work(world, gate);
    world.advance(10 * second);
  }
}

test("An import of a password that was set a moment ago waits until the system accepts it", async () => {
  const world = await slow();
  const { gate, tries } = acceptedAfter(world, 3 * minute);
  const id = await accepted(importInto(world, { mayApply: false }));
  await workFor(world, 10 * minute, gate);
  expect(await world.journal.run("app", id)).toMatchObject({ state: "done", alreadySet: true });
  expect(publishedIn(world).password).toBe(issued);
  expect(world.publishedWorks()).toBe(true);
  expect(world.applied.size).toBe(0);
  expect(tries()).toBeLessThanOrEqual(maxGuesses);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("An import that fails because the system refuses it for too long keeps the stored password", async () => {
  const world = await slow();
  const { gate, tries } = acceptedAfter(world, guessWindowMs);
  const id = await accepted(importInto(world, { mayApply: false }));
  await workFor(world, guessWindowMs - minute, gate);
  expect(await world.journal.run("app", id)).toMatchObject({
    state: "failed",
    failure: { message: expect.stringContaining("did not allow Keyturn to set it") as string },
  });
  expect(tries()).toBeLessThanOrEqual(6);
  await workFor(world, minute, gate);
  for (let hours = 0; hours < 24; hours++) {
    world.advance(hour);
    await work(world, gate);
  }
  expect(world.isKept("app")).toBe(true);
  const again = await accepted(importInto(world, { mayApply: false }));
  await work(world, gate);
  expect((await world.journal.run("app", again))?.state).toBe("done");
  expect(versions(world).filter(({ enabled }) => enabled)).toEqual([]);
});

test("An import that Keyturn may set is set at once, and its password is kept if that fails", async () => {
  const world = await slow();
  const { gate } = acceptedAfter(world, 3 * minute);
  const refuse = failing("target.apply", 1, () => new ChangeRefusedError("no"));
  const id = await accepted(importInto(world));
  await work(world, (effect, call) => gate(effect, () => refuse(effect, call)));
  expect((await world.journal.run("app", id))?.state).toBe("failed");
  setPassword(world, "app", issued);
  expect(world.isKept("app")).toBe(true);
});

test("A refused import for the published account of a pair is kept where passwords propagate, and disabled elsewhere", async () => {
  for (const propagation of [0, 5 * minute]) {
    const world = await adopted({ ...pairAdmin, propagation });
    const id = await accepted(importInto(world, { account: "app_a" }));
    for (let minutes = 0; minutes < 10; minutes++) {
      await work(world);
      world.advance(minute);
    }
    expect((await world.journal.run("app", id))?.state).toBe("failed");
    expect(versions(world).map(({ enabled }) => enabled)).toEqual([propagation > 0]);
    expect(world.publishedWorks()).toBe(true);
  }
});
