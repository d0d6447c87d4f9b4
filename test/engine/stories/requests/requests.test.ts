import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { withClaim } from "../../../../shared/core/lifecycle/decide.ts";
import { hour, minute, second } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { withPolicy } from "../../policy-world.ts";
import { adopted, failing, keyed, readRecord, request, rotate, work } from "../../steps.ts";
import { kinds, makeWorld, open, pairAdmin, pairSelf, singleAdmin } from "../../world.ts";

test("The same idempotency key leads to the same rotation, even long after it ended", async () => {
  const world = await adopted(singleAdmin);
  const id = await rotate(world, { key: keyed("ticket-7") });
  world.advance(48 * hour);
  expect(await request(world, { key: keyed("ticket-7") })).toBe(id);
  expect((await readRecord(world)).request).toBeUndefined();
  expect(await request(world, { key: keyed("ticket-8") })).not.toBe(id);
});

test.each(kinds)(
  "A rotation whose new secret may be public does not answer a new request: $name",
  async (kind) => {
    const world = await adopted(kind);
    const id = await request(world);
    let asked = "";
    await work(world, async (effect, call) => {
      const isPublic = world.vault.versions("app-db").length === 2;
      if (effect === "vault.read" && isPublic && asked === "") {
        world.advance(second);
        asked = await request(world, { reason: "exposure", requestedBy: "ben" });
      }
      return call();
    });
    expect(asked).not.toBe(id);
    world.advance(3 * minute);
    await work(world);
    expect((await world.journal.run("app", asked))?.state).toBe("done");
    expect(world.vault.versions("app-db")).toHaveLength(3);
  },
);

test("An idempotency key that is reused for a different request is rejected, and no request is lost", async () => {
  const world = await adopted(pairAdmin);
  await request(world, { key: keyed("incident-7") });
  const stricter = request(world, {
    key: keyed("incident-7", "another"),
    reason: "exposure",
    grace: 0,
  });
  await expect(stricter).rejects.toThrow("already used for a different request");
});

test("A request joins a rotation whose secret is not public yet, and makes it due at once", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world);
  await work(
    world,
    failing("target.verify", 1, () => new TargetUnavailableError("down")),
  );
  expect((await readRecord(world)).rotation?.nextAttemptAt).toBeDefined();
  expect(await request(world)).toBe(id);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A request after the new secret became public gets a rotation of its own", async () => {
  const world = await adopted(singleAdmin);
  const first = await request(world);
  let second = "";
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "consumer.refresh" && second === "") second = await request(world);
    return result;
  });
  expect(second).not.toBe(first);
  expect((await world.journal.run("app", second))?.state).toBe("done");
  expect(world.applied.size).toBe(2);
});

test("A request while a worker holds the claim does not cost the worker its claim", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  let asked = false;
  await work(world, async (effect, call) => {
    if (effect === "target.apply" && !asked) {
      asked = true;
      await request(world, { requestedBy: "somebody else" });
    }
    return call();
  });
  expect(world.events.map(({ type }) => type)).not.toContain("lease-lost");
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A rotation can be requested before the target is in the journal", async () => {
  const world = await makeWorld(singleAdmin);
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("The superseded secret of a pair works exactly until its grace is over", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  expect(world.isKept("app_a")).toBe(true);
  world.advance(23 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
  world.advance(1 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  expect(world.publishedWorks()).toBe(true);
  expect(world.notifier.sent.map(({ type }) => type)).toContain("credential.retired");
});

test("An exposed secret of a pair is retired at once with a grace of zero", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world, { reason: "exposure", grace: 0 });
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  expect(world.publishedWorks()).toBe(true);
});

test("A pair that changes itself keeps both secrets, because nobody could restore a retired account", async () => {
  const world = await adopted(pairSelf);
  await rotate(world);
  world.advance(48 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
});

test("A retired account is rotated normally at its next turn", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world, { grace: 0 });
  await work(world);
  const id = await rotate(world, { grace: 0 });
  expect((await world.journal.run("app", id))?.account).toBe("app_a");
  await work(world);
  expect(world.publishedWorks()).toBe(true);
  expect(world.isKept("app_b")).toBe(false);
});

test.each(["staging", "applying", "publishing", "checking"] as const)(
  "An admin credential is not rotated while another target that uses it is in %s",
  async (phase) => {
    const world = await adopted(singleAdmin);
    await request(world);
    const ports = world.ports(open);
    const user = { ...world.target, id: "user" };
    const busy = {
      ...ports,
      targetsUsing: () => [user],
      journal: {
        ...ports.journal,
        read: async (id: string) => {
          const found = await ports.journal.read("app");
          if (id !== "user" || !found) return found;
          const rotation = { phase } as NonNullable<typeof found.record.rotation>;
          const owner = { fence: 1, owner: "other" };
          return { ...found, record: withClaim({ ...found.record, rotation }, owner, world.now()) };
        },
      },
    };
    await workOn(busy, world.target);
    expect(world.applied.size).toBe(0);
    expect((await readRecord(world)).request?.notBefore).toBeDefined();
    world.advance(minute);
    await work(world);
    expect((await readRecord(world)).health).toBe("healthy");
  },
);

test("A notifier that is down never delays a rotation, and gets the notification later with the same id", async () => {
  const world = await adopted(singleAdmin);
  world.notifier.broken = true;
  await rotate(world);
  const waiting = (await readRecord(world)).outbox.map(({ id }) => id);
  expect((await readRecord(world)).health).toBe("healthy");
  world.notifier.broken = false;
  world.advance(2 * minute);
  await work(world);
  expect(world.notifier.sent.map(({ id }) => id)).toEqual(expect.arrayContaining(waiting));
  expect((await readRecord(world)).outbox).toEqual([]);
});

test("A consumer that cannot be refreshed is retried and then skipped, without failing the rotation", async () => {
  const world = await adopted(singleAdmin);
  world.consumer.broken = true;
  const id = await request(world);
  for (let tries = 0; tries < 4; tries++) {
    await work(world);
    world.advance(12 * minute);
  }
  expect((await world.journal.run("app", id))?.state).toBe("done");
  const left = world.events.filter(({ detail }) => detail === "left undone");
  expect(left).toHaveLength(1);
});

test("The grace of a request that joined the open rotation holds, although another request comes once its secret is public", async () => {
  const world = await adopted(pairAdmin);
  const first = await request(world);
  const led: string[] = [];
  const wants = {
    "target.apply": { grace: 0, reason: "exposure" },
    "consumer.refresh": { requestedBy: "anna" },
  } as const;
  await work(world, async (effect, call) => {
    if (led.length === 0 && effect === "target.apply") {
      led.push(await request(world, wants[effect]));
    } else if (led.length === 1 && effect === "consumer.refresh") {
      led.push(await request(world, wants[effect]));
    }
    return call();
  });
  const [second = ""] = led.slice(1);
  expect(led[0]).toBe(first);
  expect(await world.journal.run("app", first)).toMatchObject({
    state: "done",
    reason: "exposure",
  });
  expect(await world.journal.run("app", second)).toMatchObject({
    state: "done",
    reason: "operator",
    requestedBy: "anna",
  });
});

test("A request waits for the end of a freeze that lasts practically forever", async () => {
  const world = await adopted(singleAdmin);
  const freeze = [{ from: "2026-01-01", to: "9999-12-31", reason: "legacy", lift: [] }];
  const held = withPolicy(world, { freeze });
  await request(held);
  await work(held);
  expect(await readRecord(held)).toMatchObject({
    request: { notBefore: "9999-12-31T23:59:59.999Z" },
    claim: { fence: 1 },
  });
  await work(withPolicy(held, { freeze: [] }));
  expect(world.applied.size).toBe(1);
});
