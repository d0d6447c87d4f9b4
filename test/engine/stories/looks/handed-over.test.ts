import { describe, expect, test } from "vitest";
import {
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import { hour, minute, plus, second } from "../../../../shared/core/time.ts";
import {
  adopted,
  ask,
  failing,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import { type Gate, open, pairAdmin, pairSelf, type World } from "../../world.ts";

/** Publishes the idle account by hand, once, directly before this effect of the rotation. */
function publishingBefore(effect: string, world: () => World): Gate {
  let isDone = false;
  return async (name, call) => {
    if (name === effect && !isDone) {
      isDone = true;
      await writeByHand(world(), "app_b", "first-secret-of-app_b");
    }
    return call();
  };
}

function findPassword(world: World, account: string): string | undefined {
  return world.system.passwords.get(account)?.reveal();
}

/** The state after a person published app_b between the start of a rotation and its change. */
async function handedOver(kind = pairAdmin, wanted: Parameters<typeof request>[1] = {}) {
  const world = await adopted(kind);
  world.advance(minute);
  const rotationId = await request(world, wanted);
  const gate = publishingBefore("vault.write", () => world);
  await work(world, gate);
  return { world, rotationId };
}

describe.each([pairAdmin, pairSelf])(
  "A pair ($name) whose other account is published during a rotation",
  (kind) => {
    test("keeps the account that was published before until until its grace ends", async () => {
      const { world, rotationId } = await handedOver(kind);
      const { rotation, active } = await readRecord(world);
      expect(active).toBe("app_b");
      expect(rotation?.id).toBe(rotationId);
      expect(rotation?.heldBy).toContain("consumers may use app_a until its grace ends");
      world.advance(world.target.grace - 2 * minute);
      await work(world);
      expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
      world.advance(3 * minute);
      await work(world);
      expect((await world.journal.run("app", rotationId))?.state).toBe("done");
      expect(findPassword(world, "app_a")).not.toBe("first-secret-of-app_a");
      expect(world.publishedWorks()).toBe(true);
      expect((await readRecord(world)).superseded).toBeUndefined();
    });
  },
);

test("A rotation because of an exposure does not wait for the grace", async () => {
  const { world, rotationId } = await handedOver(pairAdmin, { reason: "exposure" });
  expect((await world.journal.run("app", rotationId))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("A request with cause exposure ends the wait for the grace", async () => {
  const { world, rotationId } = await handedOver();
  const answer = await ask(world, { reason: "exposure" });
  expect(answer.rotationId).toBe(rotationId);
  await work(world);
  expect((await world.journal.run("app", rotationId))?.state).toBe("done");
});

test("An ordinary request joins the wait for the grace, and the answer says until when", async () => {
  const { world, rotationId } = await handedOver();
  const { superseded } = await readRecord(world);
  const answer = await ask(world);
  expect(answer.rotationId).toBe(rotationId);
  expect(answer.waiting?.until).toBe(plus(superseded?.at ?? "", world.target.grace));
  await work(world);
  expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
});

test("A request with a shorter grace waits for that grace only", async () => {
  const { world, rotationId } = await handedOver(pairAdmin, { grace: 10 * minute });
  await work(world);
  expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
  world.advance(11 * minute);
  await work(world);
  expect((await world.journal.run("app", rotationId))?.state).toBe("done");
});

test("A request that a person makes after the publication does not wait", async () => {
  const world = await adopted(pairAdmin);
  await writeByHand(world, "app_b", "first-secret-of-app_b");
  world.advance(10 * second);
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("The schedule waits until the grace of the account that was published before is over", async () => {
  const world = await adopted(pairAdmin);
  const due = (await readRecord(world)).nextDue ?? "";
  world.advanceTo(plus(due, -minute));
  await writeByHand(world, "app_b", "first-secret-of-app_b");
  world.advance(2 * minute);
  await work(world);
  expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
  world.advance(world.target.grace);
  await work(world);
  expect(findPassword(world, "app_a")).not.toBe("first-secret-of-app_a");
});

test("A retry waits for the grace too, if the other account is published between two attempts", async () => {
  const world = await adopted(pairAdmin);
  world.advance(minute);
  await request(world);
  const isDown = failing("vault.write", 100, () => new VaultUnavailableError("down"));
  for (let tries = 0; (await readRecord(world)).rotation ?? tries === 0; tries++) {
    await work(world, isDown);
    world.advance(hour);
  }
  expect((await readRecord(world)).again).toBeDefined();
  await writeByHand(world, "app_b", "first-secret-of-app_b");
  await work(world, open, true);
  world.advance(hour);
  await work(world);
  expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
  world.advance(world.target.grace);
  await work(world);
  expect(findPassword(world, "app_a")).not.toBe("first-secret-of-app_a");
  expect(world.publishedWorks()).toBe(true);
});

test("The account that was published before keeps its password, although a change of the other one had begun", async () => {
  const world = await adopted(pairAdmin);
  world.advance(minute);
  const id = await request(world);
  const gate = failing("target.apply", 1, () => new OutcomeUnknownError("the connection was lost"));
  await work(world, gate);
  expect((await readRecord(world)).rotation?.changeBegan).toBe(true);
  await writeByHand(world, "app_b", "first-secret-of-app_b");
  for (let tries = 0; tries < 5; tries++) {
    world.advance(hour);
    await work(world);
  }
  expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
  world.advance(world.target.grace);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("A wait for a grace ends when the published secret stops working", async () => {
  const { world, rotationId } = await handedOver();
  setPassword(world, "app_a", "changed by hand");
  setPassword(world, "app_b", "changed by hand");
  world.advance(hour);
  await writeByHand(world, "app_b", "never worked");
  await work(world, open, true);
  for (let tries = 0; tries < 3; tries++) {
    world.advance(11 * minute);
    await work(world);
  }
  expect((await world.journal.run("app", rotationId))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("An account that was published by hand meanwhile is not retired within its grace", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  const { retirement } = await readRecord(world);
  expect(retirement?.account).toBe("app_a");
  world.advanceTo(plus(retirement?.at ?? "", -2 * hour));
  await writeByHand(world, "app_a", "first-secret-of-app_a");
  await work(world, open, true);
  world.advance(hour);
  await writeByHand(world, "app_b", world.system.passwords.get("app_b")?.reveal() ?? "");
  await work(world, open, true);
  world.advance(2 * hour);
  await work(world);
  expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
});

test.each(["staging", "applying"] as const)(
  "An account that a person publishes while a rotation waits in %s is not changed",
  async (phase) => {
    const world = await adopted(pairAdmin);
    const id = await request(world);
    const effect = phase === "staging" ? "vault.write" : "target.examine";
    await work(
      world,
      failing(effect, 1, () => new TargetUnavailableError("down")),
    );
    expect((await readRecord(world)).rotation?.phase).toBe(phase);
    await writeByHand(world, "app_b", "first-secret-of-app_b");
    world.advance(12 * minute);
    await work(world, async (name, call) => {
      const result = await call();
      expect(world.publishedWorks(), name).toBe(true);
      return result;
    });
    world.advance(world.target.grace);
    await work(world);
    expect(await world.journal.run("app", id)).toMatchObject({ state: "done", account: "app_a" });
  },
);

test.each(["queued", "open"])(
  "A person's request after the publication does not wait, although a target that is followed requested the %s rotation",
  async (state) => {
    const world = await adopted(pairAdmin);
    const linked = { reason: "linked", requestedBy: "keyturn" } as const;
    const id = state === "open" ? await request(world, linked) : "";
    if (state === "open")
      await work(
        world,
        publishingBefore("vault.write", () => world),
      );
    else await writeByHand(world, "app_b", "first-secret-of-app_b");
    world.advance(minute);
    await work(world, open, true);
    const queued = state === "open" ? id : await request(world, linked);
    await work(world);
    expect(findPassword(world, "app_a")).toBe("first-secret-of-app_a");
    const answer = await ask(world, { requestedBy: "anna" });
    expect(answer).toMatchObject({ rotationId: queued, joined: true });
    expect(answer.waiting).toBeUndefined();
    await work(world);
    expect(await world.journal.run("app", queued)).toMatchObject({
      state: "done",
      requestedBy: "anna",
    });
  },
);
