import { expect, test } from "vitest";
import { TargetUnavailableError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { withClaim } from "../../../../shared/core/lifecycle/decide.ts";
import { guessWindowMs, maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import type { Verified } from "../../../../shared/core/looks/verified.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, minute, second } from "../../../../shared/core/time.ts";
import type { Ports } from "../../../../shared/engine/ports.ts";
import { verifyPublished } from "../../../../shared/engine/work/verify.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { workFor } from "../../proofs/disturbed.ts";
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
  type Kind,
  kinds,
  makeWorld,
  open,
  pairAdmin,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

async function verify(world: World, gate: Gate = open): Promise<Verified> {
  const { answer } = await verifyPublished(world.ports(gate), world.target);
  if ("busy" in answer) throw new Error(answer.busy);
  return answer;
}

/** Counts the log-ins that the target refuses. */
function countRefused(ports: Ports): { ports: Ports; refused: () => number } {
  let refused = 0;
  const rotator = ports.rotator("memory");
  return {
    refused: () => refused,
    ports: {
      ...ports,
      rotator: () => ({
        ...rotator,
        async verify(check, signal) {
          const verdict = await rotator.verify(check, signal);
          if (verdict === "rejected") refused++;
          return verdict;
        },
      }),
    },
  };
}

test.each(kinds)(
  "A published secret that works is accepted, and nothing is changed: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    world.advance(minute);
    const [versions, passwords] = [
      world.vault.versions("app-db").length,
      [...world.system.passwords],
    ];
    const before = await readRecord(world);
    const effects: string[] = [];
    const answer = await verify(world, (effect, call) => {
      effects.push(effect);
      return call();
    });
    const { active: account = "", published } = before;
    expect(answer).toMatchObject({ result: "accepted", account, version: published?.version });
    expect(answer.checkedAt).toBe(world.now());
    expect(effects).toEqual([
      ...["journal.read", "vault.read", "journal.commit", "target.verify", "journal.commit"],
    ]);
    expect(world.vault.versions("app-db")).toHaveLength(versions);
    expect([...world.system.passwords]).toEqual(passwords);
    const { claim: _c, verifiedAt, ...rest } = await readRecord(world);
    const { claim: _b, verifiedAt: _v, ...same } = before;
    expect(rest).toEqual(same);
    expect(verifiedAt).toBe(world.now());
  },
);

test("A refused secret is rejected, and a check that is due at once requests the cure", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  world.advance(day);
  setPassword(world, "app", "by hand");
  const { answer, wakeAt = "never" } = await verifyPublished(world.ports(open), world.target);
  expect(answer).toMatchObject({ result: "rejected", account: "app", checkedAt: world.now() });
  expect(wakeAt <= world.now()).toBe(true);
  expect(await readRecord(world)).toMatchObject({ health: "healthy", check: { at: world.now() } });
  await work(world);
  expect(world.publishedWorks()).toBe(true);
  expect(await verify(world)).toMatchObject({ result: "accepted" });
  expect(world.notifier.sent.map(({ type }) => type)).toContain("drift.found");
});

test("A version that was refused a moment ago is answered from the record without another guess", async () => {
  const world = await adopted(singleAdmin);
  setPassword(world, "app", "by hand");
  const first = await verify(world);
  world.advance(minute);
  const logIns = world.system.logIns;
  const again = await verify(world, (effect, call) =>
    effect === "journal.commit" ? Promise.reject(new Error("a write")) : call(),
  );
  expect(again).toMatchObject({ result: "rejected", checkedAt: first.checkedAt });
  expect(again.why).toContain(first.checkedAt);
  expect(world.system.logIns).toBe(logIns);
  world.advance(guessWindowMs);
  await verify(world);
  expect(world.system.logIns).toBe(logIns + 1);
});

test("A version that somebody else wrote and that works is accepted, and adopted by a check", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  world.advance(day);
  const { version } = await writeByHand(world, "app_a", "first-secret-of-app_a");
  expect(await verify(world)).toMatchObject({ result: "accepted", account: "app_a", version });
  expect((await readRecord(world)).active).toBe("app_b");
  await work(world);
  expect(await readRecord(world)).toMatchObject({ active: "app_a", published: { version } });
});

test.each<[string, (world: World) => unknown, string]>([
  [
    "was deleted",
    (world) => {
      world.vault.remove("app-db");
    },
    "deleted",
  ],
  [
    "is disabled",
    (world) => {
      const [newest] = world.vault.versions("app-db").slice(-1);
      return newest && world.vault.disable(newest.ref, new AbortController().signal);
    },
    "disabled",
  ],
  [
    "holds no credential",
    (world) => {
      const content = {
        value: new Secret('{"note":"hello"}'),
        contentType: "text/plain",
        tags: {},
      };
      return world.vault.write("app-db", content, new AbortController().signal);
    },
    "holds no credential of target app",
  ],
])("A published secret that %s is unreadable", async (_what, act, why) => {
  const world = await adopted(singleAdmin);
  await act(world);
  const answer = await verify(world);
  expect(answer.result).toBe("unreadable");
  expect(answer.why).toContain("app-db");
  expect(answer.why).toContain(why);
  expect(await readRecord(world)).toMatchObject({ check: { at: world.now() } });
});

test("A target that is not in the journal yet is verified too, and adopted later", async () => {
  const world = await makeWorld(singleAdmin);
  expect(await verify(world)).toMatchObject({ result: "accepted", account: "app" });
  expect((await readRecord(world)).check).toBeUndefined();
  await work(world);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
});

test.each<[string, string, () => Error]>([
  ["vault", "vault.read", () => new VaultUnavailableError("the vault main is down")],
  ["server", "target.verify", () => new TargetUnavailableError("the server db is down")],
])(
  "A %s that does not answer is unreachable, and the target is released",
  async (_w, effect, make) => {
    const world = await adopted(singleAdmin);
    const answer = await verify(world, failing(effect, 9, make));
    expect(answer.result).toBe("unreachable");
    expect(answer.why).toContain("is down. This says nothing about the password.");
    const { claim, health, check } = await readRecord(world);
    expect([claim.owner, health, check]).toEqual([undefined, "healthy", undefined]);
  },
);

test("Without the journal nothing is tried", async () => {
  const world = await adopted(singleAdmin);
  const logIns = world.system.logIns;
  const down = failing("journal.commit", 1, () => new JournalUnavailableError("it is down"));
  await expect(verify(world, down)).rejects.toThrow(JournalUnavailableError);
  expect(world.system.logIns).toBe(logIns);
});

test("While a worker holds the target, the caller is answered busy", async () => {
  const world = await adopted(singleAdmin);
  const found = await world.journal.read("app");
  if (!found) throw new Error("the target is not in the journal");
  const held = withClaim(found.record, { fence: 9, owner: "worker" }, world.now());
  await world.journal.commit({ record: held, etag: found.etag, wakeAt: undefined });
  const { answer } = await verifyPublished(world.ports(open), world.target);
  expect(answer).toEqual({
    busy: "A worker is working on target app. Nothing was tried. Try again.",
  });
  world.advance(121 * second);
  expect(await verify(world)).toMatchObject({ result: "accepted" });
});

test("Callers with many requests leave the target to a worker whose work is due", async () => {
  const world = await adopted(singleAdmin);
  await verify(world);
  await request(world);
  const { answer } = await verifyPublished(world.ports(open), world.target);
  expect(answer).toHaveProperty("busy");
  world.advance(minute);
  expect(await verify(world)).toMatchObject({ result: "accepted" });
});

test("An open rotation between two attempts does not stop the answer about what is published", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(
    world,
    failing("vault.write", 9, () => new VaultUnavailableError("it is read-only")),
  );
  expect((await readRecord(world)).rotation?.phase).toBe("staging");
  expect(await verify(world)).toMatchObject({ result: "accepted" });
  await workFor(world, day);
  expect(world.publishedWorks()).toBe(true);
});

test("A rejection during the change of a single account names the rotation", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world);
  let writes = 0;
  await work(world, (effect, call) =>
    effect === "vault.write" && ++writes > 1
      ? Promise.reject(new VaultUnavailableError("it is read-only"))
      : call(),
  );
  const answer = await verify(world);
  expect(answer.result).toBe("rejected");
  expect(answer.why).toContain(`Rotation ${id} is changing this account`);
  await workFor(world, day);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
});

test.each<Kind>([singleAdmin, singleSelf])(
  "Many callers and workers together make no more wrong guesses than the budget: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    world.advance(day);
    setPassword(world, "app", "by hand");
    const { ports, refused } = countRefused(world.ports(open));
    for (let versions = 0; versions < 8; versions++) {
      await writeByHand(world, "app", `wrong ${versions}`);
      await Promise.all(Array.from({ length: 5 }, () => verifyPublished(ports, world.target)));
      world.advance(second);
    }
    expect(refused()).toBeLessThan(maxGuesses);
    expect(await verify(world)).toMatchObject({ result: "not-tried", account: "app" });
  },
);

test("No answer and no event contains the secret", async () => {
  const world = await adopted(singleAdmin);
  const secret = "first-secret-of-app";
  const leak = () => new Error(`the driver says ${secret}`);
  const answers = [await verify(world, failing("target.verify", 1, leak)), await verify(world)];
  setPassword(world, "app", "by hand");
  answers.push(await verify(world), await verify(world));
  expect(JSON.stringify([answers, world.events])).not.toContain(secret);
});
