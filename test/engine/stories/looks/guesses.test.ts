import { expect, test } from "vitest";
import { guessWindowMs, maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute, second } from "../../../../shared/core/time.ts";
import type { Ports } from "../../../../shared/engine/ports.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, readRecord, request, rotate, setPassword } from "../../steps.ts";
import {
  makeWorld,
  open,
  pairAdmin,
  pairProof,
  pairSelf,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

/** A target with earlier rotations. */
async function rotatedOften(kind: typeof singleSelf): Promise<World> {
  const world = await adopted(kind);
  for (let count = 0; count < 12; count++) {
    world.advance(day);
    await rotate(world);
  }
  world.advance(day);
  return world;
}

test("Any number of targets together make too few log-ins to lock an admin whose password was changed by hand", async () => {
  const world = await makeWorld(singleAdmin);
  let refused = 0;
  const ports = world.ports(async (effect, call) => {
    const result = await call();
    if (effect === "target.examine" && result === "rejected") refused++;
    return result;
  });
  const targets = Array.from({ length: 30 }, (_, index) => ({
    ...world.target,
    id: `t${index}`,
    publish: { ...world.target.publish, name: `db${index}` },
    slots: [{ account: `app${index}` }],
  }));
  for (const { publish, slots } of targets) {
    const account = slots[0]?.account ?? "";
    setPassword(world, account, "x");
    const value = new Secret(JSON.stringify({ username: account, password: "x" }));
    const content = { value, contentType: "", tags: {} };
    await world.vault.write(publish.name, content, new AbortController().signal);
  }
  for (const target of targets) await workOn(ports, target);
  setPassword(world, "admin", "changed by a person");
  world.advance(90 * day);
  for (const target of targets) await workOn(ports, target);
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThanOrEqual(maxGuesses);
});

test.each([pairAdmin, pairProof])(
  "A retirement tries a refused admin no more often than other work does: $name",
  async (kind) => {
    const world = await adopted(kind);
    const { policy } = world.target;
    Object.assign(world.target, {
      policy: { ...policy, retry: { ...policy.retry, attempts: 20, every: minute } },
    });
    await rotate(world);
    setPassword(world, "admin", "changed by a person");
    world.advance(day);
    let refused = 0;
    await workFor(world, guessWindowMs, async (_effect, call) => {
      try {
        return await call();
      } catch (error) {
        if (String(error).includes("refuses the log-in")) refused++;
        throw error;
      }
    });
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThanOrEqual(maxGuesses);
  },
);

test.each([singleSelf, pairSelf])(
  "A worker that dies forgets at most the guess that it was making: $name",
  async (kind) => {
    const world = await rotatedOften(kind);
    for (const account of kind.accounts) setPassword(world, account, "by hand");
    await request(world);
    const guesses: string[] = [];
    const made = world.ports(open);
    const rotator = made.rotator("memory");
    let isDead = false;
    const ports: Ports = {
      ...world.ports((effect, call) =>
        isDead && effect === "journal.commit"
          ? Promise.reject(new JournalUnavailableError("it is dead"))
          : call(),
      ),
      rotator: () => ({
        ...rotator,
        async verify(check, signal) {
          const verdict = await rotator.verify(check, signal);
          if (verdict === "rejected") guesses.push(check.credential.account);
          isDead = guesses.length % 2 === 0;
          return verdict;
        },
      }),
    };
    for (let life = 0; life < 4; life++) {
      isDead = false;
      await workOn(ports, world.target).catch(() => undefined);
      world.advance(121 * second);
    }
    for (const account of kind.accounts) {
      const made = guesses.filter((one) => one === account).length;
      // Each death may hide one.
      expect(made).toBeLessThanOrEqual(maxGuesses + 3);
    }
  },
);

test.each([
  [3, 7],
  [2, 6],
  [1, 4],
])(
  "A working secret is found among many, with %i tries per rotation and %i versions back",
  async (attempts, back) => {
    const world = await rotatedOften(singleSelf);
    const { policy } = world.target;
    Object.assign(world.target, { policy: { ...policy, retry: { ...policy.retry, attempts } } });
    const old =
      world.vault
        .versions("app-db")
        .at(-1 - back)
        ?.value.reveal() ?? "{}";
    setPassword(world, "app", (JSON.parse(old) as { password: string }).password);
    await request(world);
    await workFor(world, day);
    expect(world.publishedWorks()).toBe(true);
    expect((await readRecord(world)).health).toBe("healthy");
  },
);

test("An account that changes itself and was changed by hand is blocked once every stored secret was tried", async () => {
  const world = await rotatedOften(singleSelf);
  setPassword(world, "app", "by hand");
  await request(world);
  await workFor(world, 3 * hour);
  const told = world.notifier.sent.map(({ type }) => type);
  expect((await readRecord(world)).health).toBe("blocked");
  expect(told.filter((type) => type === "rotation.blocked")).toHaveLength(1);
  expect(told).not.toContain("rotation.failed");
});

test("No stored secret is tried twice in one attempt, or named twice in the message", async () => {
  const world = await adopted(singleSelf);
  await rotate(world);
  setPassword(world, "app", "by hand");
  await request(world);
  const tried: string[] = [];
  const made = world.ports(open);
  const rotator = made.rotator("memory");
  const verify: typeof rotator.verify = (check, signal) => {
    tried.push(check.credential.secret.reveal());
    return rotator.verify(check, signal);
  };
  await workOn({ ...made, rotator: () => ({ ...rotator, verify }) }, world.target);
  expect(new Set(tried).size).toBe(tried.length);
  const message = (await readRecord(world)).lastFailure?.message ?? "";
  const versions = message.match(/[0-9a-f]{32}/g) ?? [];
  expect(versions).not.toEqual([]);
  expect(new Set(versions).size).toBe(versions.length);
});

test("An account that the server did not let in for a while is found again with the secret that worked last", async () => {
  const world = await adopted(singleSelf);
  for (let rotations = 0; rotations < 9; rotations++) {
    world.advance(hour);
    await rotate(world);
  }
  const working = world.system.passwords.get("app") ?? new Secret("");
  world.system.passwords.set("app", new Secret("the account is expired"));
  const id = await request(world);
  await workFor(world, 2 * minute);
  world.system.passwords.set("app", working);
  // One pause between guesses, and the time until the next attempt.
  await workFor(world, 2 * guessWindowMs);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});
