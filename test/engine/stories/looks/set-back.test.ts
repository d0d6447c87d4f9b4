import { describe, expect, test } from "vitest";
import { VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { guessWindowMs, maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, minute } from "../../../../shared/core/time.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, readRecord, request, setPassword, work, writeByHand } from "../../steps.ts";
import { type Gate, type Kind, severalSingle, type World } from "../../world.ts";

const old = "first-secret-of-app";

/** Whether each server accepts the published secret, which did not change yet. */
const acceptOld = ({ systems }: World) =>
  systems.map(({ passwords }) => passwords.get("app")?.reveal() === old);

/** Runs `then` directly after the n-th change of a server. */
function afterChange(n: number, then: () => unknown): Gate {
  let count = 0;
  return async (effect, call) => {
    const result = await call();
    if (effect === "node.apply" && ++count === n) await then();
    return result;
  };
}

/** The process ends directly before the first effect for which `isHere` is true. */
function diesBefore(isHere: (effect: string) => boolean): Gate {
  let isDead = false;
  return (effect, call) => {
    isDead ||= isHere(effect);
    return isDead ? Promise.reject(new JournalUnavailableError("dead")) : call();
  };
}

/** A rotation during which the second server goes down, directly after the first one was changed. */
async function halfChanged(kind: Kind = severalSingle, also: (world: World) => unknown = () => 0) {
  const world = await adopted(kind);
  await request(world);
  await work(
    world,
    afterChange(1, () => {
      world.setTrouble(1, "is down");
      return also(world);
    }),
  );
  return world;
}

/** A rotation whose worker has died after it changed the first server. */
async function leftHalfChanged(): Promise<World> {
  const world = await adopted(severalSingle);
  await request(world);
  let isChanged = false;
  const notes = afterChange(1, () => {
    isChanged = true;
  });
  const dies = diesBefore(() => isChanged);
  const gate: Gate = (effect, call) => dies(effect, () => notes(effect, call));
  await work(world, gate).catch(() => undefined);
  expect(acceptOld(world)).toEqual([false, true]);
  world.advance(3 * minute);
  return world;
}

/** The most refused log-ins of the account at one server within the time in which refusals count. */
function countMost({ logIns }: World, account: string): number {
  const refused = logIns.filter((one) => one.account === account && !one.accepted);
  const isNear = (a: string, b: string) => {
    const passed = Date.parse(b) - Date.parse(a);
    return passed >= 0 && passed < guessWindowMs;
  };
  return Math.max(
    0,
    ...refused.map(
      (last) =>
        refused.filter((one) => one.server === last.server && isNear(one.at, last.at)).length,
    ),
  );
}

describe("Setting a half-changed account back", () => {
  test("makes no more guesses at a server that accepts neither secret than any other log-in", async () => {
    const world = await halfChanged(severalSingle, ({ systems }) =>
      systems[0]?.passwords.set("app", new Secret("set by hand")),
    );
    await workFor(world, day);
    expect(countMost(world, "app")).toBeLessThan(maxGuesses);
  });

  test("does not forget that the target refuses the admin", async () => {
    const world = await halfChanged();
    world.setTrouble(1, undefined);
    setPassword(world, "admin", "changed by hand");
    await workFor(world, day);
    expect(countMost(world, "admin")).toBe(maxGuesses);
    expect(acceptOld(world)).toEqual([true, true]);
  });

  test("uses the admin's secret as it is now", async () => {
    const world = await halfChanged(severalSingle, async (half) => {
      setPassword(half, "admin", "rotated");
      await writeByHand(half, "admin", "rotated", "app-admin");
    });
    expect(acceptOld(world)).toEqual([true, true]);
  });

  test("needs no wait for a new secret that no server has any more", async () => {
    const world = await adopted({ ...severalSingle, propagation: 5 * minute });
    await request(world);
    // All servers are changed, and one does not answer when the new secret is proven.
    const gate = afterChange(2, () => {
      world.setTrouble(1, "is down");
    });
    await work(world, gate);
    expect(acceptOld(world)).toEqual([true, false]);
    world.setTrouble(1, undefined);
    await workFor(world, minute);
    expect(world.publishedWorks()).toBe(true);
  });

  test("is done later if the vault cannot be read, and a refusal does not end the rotation before", async () => {
    const world = await leftHalfChanged();
    world.setTrouble(0, "refuses changes");
    let isAway = false;
    await work(world, (effect, call) => {
      isAway ||= effect === "target.apply";
      const isHere = isAway && effect === "vault.read";
      return isHere ? Promise.reject(new VaultUnavailableError("away")) : call();
    });
    const { rotation, lastFailure } = await readRecord(world);
    expect(rotation?.phase).toBe("applying");
    expect(lastFailure).toMatchObject({
      kind: "vault-unavailable",
      message: "server 0 refuses. Keyturn has not set the earlier secret again: away",
    });
    world.setTrouble(0, undefined);
    world.setTrouble(1, "is down");
    await workFor(world, minute);
    expect(acceptOld(world)).toEqual([true, true]);
  });

  test("is also done if a server goes down before the new secret is published", async () => {
    const world = await adopted(severalSingle);
    await request(world);
    const isPublication = (effect: string) => effect === "vault.write" && world.applied.size > 0;
    await work(world, diesBefore(isPublication)).catch(() => undefined);
    expect(acceptOld(world)).toEqual([false, false]);
    world.advance(3 * minute);
    world.setTrouble(1, "is down");
    await workFor(world, minute);
    expect(acceptOld(world)).toEqual([true, false]);
    world.setTrouble(1, undefined);
    await workFor(world, day);
    expect(world.publishedWorks()).toBe(true);
    expect((await readRecord(world)).health).toBe("healthy");
  });

  test("does not bring back a secret that somebody has seen and changed by hand", async () => {
    const world = await adopted(severalSingle);
    setPassword(world, "app", "changed by hand");
    await request(world, { reason: "exposure" });
    const gate = afterChange(1, () => {
      world.setTrouble(1, "is down");
    });
    await work(world, gate);
    await workFor(world, day);
    expect(acceptOld(world)).toEqual([false, false]);
    expect((await readRecord(world)).lastFailure?.message).toContain(
      "somebody has seen the published secret app-db, and the target refused it before",
    );
    world.setTrouble(1, undefined);
    await workFor(world, day);
    expect(world.publishedWorks()).toBe(true);
  });

  test("is not tried after a refusal that has certainly changed nothing", async () => {
    const world = await adopted(severalSingle);
    world.setTrouble(0, "refuses changes");
    await request(world);
    await work(world);
    const { slots, lastFailure } = await readRecord(world);
    expect(lastFailure?.message).toBe("server 0 refuses");
    expect(slots[0]?.abandoned).toBeUndefined();
    const pending = world.vault.versions("keyturn-pending-app");
    expect(pending.map(({ enabled }) => enabled)).toEqual([false]);
  });

  test("is noticed and repaired if it takes effect after another worker has published", async () => {
    const world = await adopted(severalSingle);
    await request(world);
    let changes = 0;
    await work(world, async (effect, call) => {
      if (effect !== "node.apply" || ++changes < 3) {
        const result = await call();
        if (changes === 1) world.setTrouble(1, "is down");
        return result;
      }
      // The process is suspended before it sets the earlier secret.
      world.setTrouble(1, undefined);
      world.advance(3 * minute);
      await work(world);
      expect(world.publishedWorks()).toBe(true);
      world.systems[0]?.passwords.set("app", new Secret(old));
      throw new Error("socket hang up");
    });
    expect(world.publishedWorks()).toBe(false);
    const alarms = await world.journal.alarms(5);
    expect(alarms.map(({ kind }) => kind)).toContain("claim-lost-after-change");
    await workFor(world, minute);
    expect(world.publishedWorks()).toBe(true);
  });
});
