import { expect, test } from "vitest";
import { ChangeRefusedError } from "../../../../shared/core/errors.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { accepted, importInto, issued, passwordOf, publishedIn, undo } from "../../given-steps.ts";
import { adopted, failing, readRecord, request, rotate, setPassword, work } from "../../steps.ts";
import { kinds, singleAdmin, singleSelf, type World } from "../../world.ts";

const refuse = () => failing("target.apply", 1, () => new ChangeRefusedError("no"));

/** Lets a rotation that a person requested fail. Keyturn repeats it. */
async function failOf(world: World, reason: "exposure" | "operator"): Promise<void> {
  world.advance(minute);
  const id = await request(world, { reason, requestedBy: "security" });
  await work(world, refuse());
  expect((await world.journal.run("app", id))?.state).toBe("failed");
}

async function passMonth(world: World): Promise<void> {
  for (let days = 0; days < 30; days++) {
    world.advance(day);
    await work(world);
  }
}

test.each(kinds)(
  "A failed rotation of an exposed password is repeated after an undo: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    const { account = "", password: exposed } = publishedIn(world);
    await failOf(world, "exposure");
    await accepted(undo(world));
    await work(world);
    const { again, nextDue = "" } = await readRecord(world);
    expect(again).toMatchObject({ reason: "exposure", requestedBy: "security" });
    expect(Date.parse(nextDue) - Date.parse(world.now())).toBeLessThan(day);
    await passMonth(world);
    expect(passwordOf(world, account)).not.toBe(exposed);
    expect((await readRecord(world)).again).toBeUndefined();
    expect(world.publishedWorks()).toBe(true);
  },
);

test.each(["exposure", "operator"] as const)(
  "A failed rotation is repeated after an import of the present password: %s",
  async (reason) => {
    const world = await adopted(singleAdmin);
    const { password = "" } = publishedIn(world);
    await failOf(world, reason);
    await accepted(importInto(world, { value: new Secret(password) }));
    await work(world);
    expect(publishedIn(world).password).toBe(password);
    await passMonth(world);
    expect(publishedIn(world).password).not.toBe(password);
  },
);

test("An import answers a failed rotation that only the policy or Keyturn itself requested", async () => {
  const byPolicy = await adopted(singleAdmin);
  byPolicy.advance(91 * day);
  await work(byPolicy, refuse());
  const byKeyturn = await adopted(singleAdmin);
  await request(byKeyturn, { reason: "drift", requestedBy: "keyturn" });
  await work(byKeyturn, refuse());
  for (const [world, requestedBy] of [
    [byPolicy, "schedule"],
    [byKeyturn, "keyturn"],
  ] as const) {
    expect((await readRecord(world)).again).toMatchObject({ requestedBy });
    await accepted(importInto(world));
    await work(world);
    const { again, health, nextDue = "" } = await readRecord(world);
    expect({ again, health }).toEqual({ again: undefined, health: "healthy" });
    expect(Date.parse(nextDue) - Date.parse(world.now())).toBeGreaterThan(30 * day);
  }
});

test("A rotation of an exposed password that made a blocked import go on follows it", async () => {
  const world = await adopted(singleSelf);
  const id = await accepted(importInto(world));
  setPassword(world, "app", "set-by-hand");
  await work(world);
  world.advance(hour);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("blocked");
  setPassword(world, "app", issued);
  world.advance(hour);
  expect(await request(world, { reason: "exposure", requestedBy: "security" })).toBe(id);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(await world.journal.run("app", id)).toMatchObject({ reason: "import" });
  world.advance(hour);
  await work(world);
  expect(publishedIn(world).password).not.toBe(issued);
  const [last] = await world.journal.runs("app", 1);
  expect(last).toMatchObject({ reason: "exposure", requestedBy: "security", state: "done" });
});
