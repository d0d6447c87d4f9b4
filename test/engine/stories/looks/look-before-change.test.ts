import { expect, test } from "vitest";
import {
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import { guessWindowMs, maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { minute } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import {
  adopted,
  failing,
  readRecord,
  request,
  rotate,
  setPassword,
  tryRotation,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  kinds,
  open,
  pairAdmin,
  pairSelf,
  singleAdmin,
  singleIdentity,
  singleSelf,
  type World,
} from "../../world.ts";

const told = (world: World) => world.notifier.sent.map(({ type }) => type);
const getSecret = (world: World, account: string) => world.system.passwords.get(account)?.reveal();

for (const kind of kinds) {
  test(`Nothing is changed while the published secret is deleted, and the next try continues once it is recovered: ${kind.name}`, async () => {
    const world = await adopted(kind);
    world.vault.remove("app-db");
    const tried = await tryRotation(world);
    expect(world.applied.size).toBe(0);
    expect(tried.message).toContain("Recover or purge it");
    world.vault.recover("app-db");
    world.advance(12 * minute);
    await work(world);
    expect((await world.journal.run("app", tried.id))?.state).toBe("done");
    expect(world.publishedWorks()).toBe(true);
  });
}

test("A change without effect is not repeated while the published secret is deleted", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world);
  await work(
    world,
    failing("target.apply", 1, () => new OutcomeUnknownError("the line was lost")),
  );
  world.vault.remove("app-db");
  for (let turn = 0; turn < 4; turn++) {
    world.advance(minute);
    await work(world);
  }
  expect(world.applied.size).toBe(0);
  world.vault.recover("app-db");
  world.advance(12 * minute);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("The schedule does not replace a version that somebody disabled, but a rotation on request does", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  const { published, nextDue } = await readRecord(world);
  if (published) await world.vault.disable(published, new AbortController().signal);
  world.applied.clear();
  world.advanceTo(nextDue ?? "");
  await work(world);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).lastFailure?.message).toContain(
    "Enable it, or request a rotation to replace it",
  );
  await rotate(world, { reason: "exposure" });
  await work(world);
  expect(world.publishedWorks()).toBe(true);
});

test.each([singleAdmin, singleIdentity, pairAdmin])(
  "An account that the server does not let in is not changed, and the message names the obstacle: $name",
  async (kind) => {
    const world = await adopted(kind);
    const account = kind.accounts.at(-1) ?? "";
    world.system.obstacles.set(account, `Account ${account} is locked; unlock it`);
    const before = getSecret(world, account);
    const { state, message } = await tryRotation(world);
    expect(state).toBe("failed");
    expect(message).toContain("is locked; unlock it");
    expect(getSecret(world, account)).toBe(before);
    world.system.obstacles.clear();
    world.advance(12 * minute);
    await work(world);
    expect((await readRecord(world)).health).toBe("healthy");
    expect(world.publishedWorks()).toBe(true);
  },
);

test("The rotation fixes an account whose stored secret is refused without a named obstacle", async () => {
  const world = await adopted(singleAdmin);
  setPassword(world, "app", "changed by hand");
  const { state } = await tryRotation(world);
  expect(state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("A right that the admin lacks is detected before anything is changed, and named", async () => {
  const world = await adopted(singleAdmin);
  world.system.admins.clear();
  const applies: string[] = [];
  const gate: Gate = (effect, call) => {
    if (effect === "target.apply") applies.push(effect);
    return call();
  };
  const { state, message } = await tryRotation(world, {}, gate);
  expect(state).toBe("failed");
  expect(message).toContain("admin may not change app");
  expect(applies).toEqual([]);
});

test("A target that cannot be examined is tried later, and nothing is changed", async () => {
  const world = await adopted(singleAdmin);
  const { id, state } = await tryRotation(
    world,
    {},
    failing("target.examine", 1, () => new TargetUnavailableError("down")),
  );
  expect(state).toBe("running");
  expect(world.applied.size).toBe(0);
  world.advance(12 * minute);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("The other account of a pair is published before any change if the published account stopped working", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  setPassword(world, "app_b", "changed behind our back");
  expect(world.publishedWorks()).toBe(false);
  const worked: boolean[] = [];
  const { id } = await tryRotation(world, {}, async (effect, call) => {
    if (effect === "target.apply") worked.push(world.publishedWorks());
    return call();
  });
  expect(worked).toEqual([true]);
  const run = await world.journal.run("app", id);
  expect(run).toMatchObject({ state: "done", account: "app_b" });
  expect(world.publishedWorks()).toBe(true);
  expect(told(world)).toContain("drift.found");
});

test("A vault event is handled while a rotation that has changed nothing waits", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  await work(
    world,
    failing("target.examine", 1, () => new TargetUnavailableError("down")),
  );
  const ref = await writeByHand(world, "app_b", "first-secret-of-app_b");
  await work(world, open, true);
  expect(await readRecord(world)).toMatchObject({ active: "app_b", published: ref });
});

test("An account that is let in without a password proves nothing, so nothing is changed or published", async () => {
  const world = await adopted(singleAdmin);
  world.system.trusted.add("app");
  const { state, message } = await tryRotation(world);
  expect(state).toBe("failed");
  expect(message).toContain("without a password");
  expect(world.applied.size).toBe(0);
});

test("An admin that was rotated between its examination and the change is read again, and the rotation continues", async () => {
  const world = await adopted(singleAdmin);
  let turned = false;
  const { state } = await tryRotation(world, {}, async (effect, call) => {
    if (effect === "target.apply" && !turned) {
      turned = true;
      setPassword(world, "admin", "next-secret-of-admin");
      const value = new Secret(
        JSON.stringify({ username: "admin", password: "next-secret-of-admin" }),
      );
      const content = { value, contentType: "application/json", tags: {} };
      await world.vault.write("app-admin", content, new AbortController().signal);
    }
    return call();
  });
  expect(state).toBe("done");
});

test("A change whose authority is refused leaves the rotation as if no change had begun", async () => {
  const world = await adopted(singleAdmin);
  const { state } = await tryRotation(world, {}, (effect, call) => {
    if (effect === "target.apply") setPassword(world, "admin", "changed by somebody");
    return call();
  });
  expect(state).toBe("running");
  expect((await readRecord(world)).rotation).toMatchObject({
    phase: "applying",
    changeBegan: false,
  });
});

test.each([singleAdmin, singleIdentity])(
  "A change that cannot be proven is tried again within seconds, then less and less often: $name",
  async (kind) => {
    const world = await adopted(kind);
    const lost: Gate = (effect, call) =>
      effect === "target.verify" && world.applied.size > 0
        ? Promise.reject(new TargetUnavailableError("the line was lost"))
        : call();
    await request(world);
    const waits: number[] = [];
    for (let tries = 0; tries < 8; tries++) {
      const wake = (await work(world, lost)) ?? "";
      waits.push(Date.parse(wake) - Date.parse(world.now()));
      world.advanceTo(wake);
    }
    expect(waits[0]).toBeLessThan(10_000);
    expect(Math.max(...waits)).toBeLessThan(6 * minute);
    await work(world);
    expect(world.publishedWorks()).toBe(true);
  },
);

test("The publication of a secret that the target already has is tried again within seconds", async () => {
  const world = await adopted(singleAdmin);
  const readOnly: Gate = (effect, call) =>
    effect === "vault.write" && world.applied.size > 0
      ? Promise.reject(new VaultUnavailableError("no right to write"))
      : call();
  await request(world);
  const wake = (await work(world, readOnly)) ?? "";
  expect(Date.parse(wake) - Date.parse(world.now())).toBeLessThan(10_000);
});

test("An unused account of a pair is tried again as the policy defines", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  const wake = await work(world, (effect, call) =>
    effect === "target.verify" && world.applied.size > 0
      ? Promise.reject(new TargetUnavailableError("the line was lost"))
      : call(),
  );
  expect(Date.parse(wake ?? "") - Date.parse(world.now())).toBeGreaterThan(9 * minute);
});

test.each([singleAdmin, singleSelf, singleIdentity, pairAdmin, pairSelf])(
  "Keyturn never tries so many wrong passwords that a server would lock the account: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    for (const account of kind.accounts) setPassword(world, account, "changed behind our back");
    const wrong = new Map<string, number[]>();
    const ports = world.ports(open);
    const memory = ports.rotator("memory");
    const counting: typeof memory = {
      ...memory,
      verify: async (check, signal) => {
        const verdict = await memory.verify(check, signal);
        const { account } = check.credential;
        if (verdict === "rejected") {
          wrong.set(account, [...(wrong.get(account) ?? []), Date.parse(world.now())]);
        }
        return verdict;
      },
      // The change never takes effect, so every try is a wrong guess.
      apply: (change) => Promise.resolve({ credential: change.next }),
    };
    for (let turn = 0; turn < 300; turn++) {
      if (turn % 10 === 0) await request(world);
      await workOn({ ...ports, rotator: () => counting }, world.target);
      world.advance(20_000);
    }
    expect(wrong.size).toBeGreaterThan(0);
    for (const moments of wrong.values()) {
      for (const [index, at] of moments.entries()) {
        const since = moments.slice(0, index + 1).filter((one) => at - one < guessWindowMs);
        expect(since.length).toBeLessThanOrEqual(maxGuesses);
      }
    }
  },
);

test.each(kinds)(
  "A password that breaks the rules of the target is not sent: $name",
  async (kind) => {
    const world = await adopted(kind);
    world.system.shown = { rules: { source: "the policy of the server", minLength: 100 } };
    const tried = await tryRotation(world);
    expect(world.applied.size).toBe(0);
    expect(tried.message).toContain("the policy of the server requires at least 100 characters");
    expect(tried.message).toContain("nothing was changed");
    expect(world.publishedWorks()).toBe(true);
  },
);

test("Differences between the accounts of a pair are reported before the change", async () => {
  const world = await adopted(pairAdmin);
  world.system.shown = { warnings: ["Account `app_b` differs from `app_a`."] };
  const id = await rotate(world);
  const looked = world.events.find((event) => event.type === "looked" && event.rotationId === id);
  expect(looked?.detail).toContain("warning: Account `app_b` differs from `app_a`");
});
