import { describe, expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, minute } from "../../../../shared/core/time.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { adopted, readRecord, request, work } from "../../steps.ts";
import { type Gate, severalSingle, type World } from "../../world.ts";

const old = "first-secret-of-app";

/** Whether each server accepts the published secret, which did not change yet. */
const acceptOld = ({ systems }: World) =>
  systems.map(({ passwords }) => passwords.get("app")?.reveal() === old);

/** Runs `then` directly after the first change of a server. */
function afterFirstChange(then: () => void): Gate {
  let count = 0;
  return async (effect, call) => {
    const result = await call();
    if (effect === "node.apply" && ++count === 1) then();
    return result;
  };
}

/** A rotation in which the second server has this trouble as soon as the first one is changed. */
async function halfChanged(trouble: "is down" | "refuses changes"): Promise<World> {
  const world = await adopted(severalSingle);
  await request(world);
  await work(
    world,
    afterFirstChange(() => {
      world.setTrouble(1, trouble);
    }),
  );
  return world;
}

/** Works every eleven minutes. Returns what the servers accepted after each try. */
async function workFor(world: World, length: number): Promise<boolean[][]> {
  const seen: boolean[][] = [];
  for (let passed = 0; passed < length; passed += 11 * minute) {
    world.advance(11 * minute);
    await work(world);
    seen.push(acceptOld(world));
  }
  return seen;
}

describe("An account on several servers, of which one fails after another was changed", () => {
  test("has the published secret on all that answer at the end of the try, and the failure says so", async () => {
    const world = await halfChanged("is down");
    expect(acceptOld(world)).toEqual([true, true]);
    const { lastFailure, rotation } = await readRecord(world);
    expect(lastFailure?.kind).toBe("outcome-unknown");
    expect(lastFailure?.message).toContain("server 0 is changed; server 1 is not changed");
    expect(lastFailure?.message).toContain(
      "server 0 accepts the earlier secret; server 1 gave no answer",
    );
    expect(rotation?.outcomeInDoubt).toBe(true);
  });

  test("is rotated when the server is back, a day later, and consumers could log in all day", async () => {
    const world = await halfChanged("is down");
    const seen = await workFor(world, day);
    expect(seen.every(([first]) => first)).toBe(true);
    world.setTrouble(1, undefined);
    await workFor(world, day);
    expect(acceptOld(world)).toEqual([false, false]);
    expect(world.publishedWorks()).toBe(true);
    expect((await readRecord(world)).health).toBe("healthy");
  });

  test("is set back by the next worker if the first one dies", async () => {
    const world = await adopted(severalSingle);
    await request(world);
    let isDead = false;
    const dies: Gate = async (effect, call) => {
      if (isDead) throw new JournalUnavailableError("the worker is dead");
      const result = await call();
      isDead = effect === "node.apply";
      return result;
    };
    await work(world, dies).catch(() => undefined);
    world.setTrouble(1, "is down");
    expect(acceptOld(world)).toEqual([false, true]);
    const seen = await workFor(world, day);
    expect(seen.every(([first]) => first)).toBe(true);
    const guesses = (await readRecord(world)).refusals ?? [];
    expect(guesses.length).toBeLessThan(4);
    world.setTrouble(1, undefined);
    await workFor(world, day);
    expect(world.publishedWorks()).toBe(true);
    expect(acceptOld(world)).toEqual([false, false]);
  });

  test("keeps the published secret everywhere if a server refuses the change, and the rotation fails", async () => {
    const world = await halfChanged("refuses changes");
    expect(acceptOld(world)).toEqual([true, true]);
    const record = await readRecord(world);
    expect(record.rotation).toBeUndefined();
    expect(record.lastFailure?.kind).toBe("change-refused");
    expect(world.isKept("app")).toBe(true);
  });

  test("is reported as locked out, server by server, where it cannot be set back", async () => {
    const world = await adopted(severalSingle);
    await request(world);
    const gate = afterFirstChange(() => {
      world.setTrouble(1, "refuses changes");
      world.setTrouble(0, "refuses changes");
      world.systems[0]?.passwords.set("app", new Secret("set by hand"));
    });
    await work(world, gate);
    const { lastFailure, rotation } = await readRecord(world);
    expect(lastFailure?.message).toContain(
      "server 0 accepts neither secret, so the account is locked out there; server 1 accepts the earlier secret",
    );
    expect(rotation?.phase).toBe("applying");
    world.setTrouble(0, undefined);
    world.setTrouble(1, undefined);
    await workFor(world, day);
    expect(world.publishedWorks()).toBe(true);
  });

  test("keeps a published secret that somebody else wrote meanwhile: nobody knows whether it was ever valid", async () => {
    const world = await adopted(severalSingle);
    await request(world);
    const gate = afterFirstChange(() => {
      world.setTrouble(1, "is down");
      const value = new Secret(JSON.stringify({ username: "app", password: "wrong" }));
      const content = { value, contentType: "application/json", tags: {} };
      void world.vault.write("app-db", content, new AbortController().signal);
    });
    await work(world, gate);
    expect(world.systems.map(({ passwords }) => passwords.get("app")?.reveal())).not.toContain(
      "wrong",
    );
    expect(world.isKept("app")).toBe(true);
  });
});
