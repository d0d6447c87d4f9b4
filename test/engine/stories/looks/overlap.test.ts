import { describe, expect, test } from "vitest";
import { explainState } from "../../../../shared/core/explanation/explanation.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { hour } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import type { Ports } from "../../../../shared/engine/ports.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { asSetting } from "../../../../shared/rotators/as-setting.ts";
import { accepted, importInto, publishedIn, undo } from "../../given-steps.ts";
import {
  adopted,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import { open, overlapAdmin, overlapSelf, type World } from "../../world.ts";

const old = "first-secret-of-app";

/** Which passwords the account has, the newest first. */
const passwords = ({ system }: World) => [
  system.passwords.get("app")?.reveal(),
  system.seconds.get("app")?.reveal(),
];

const told = (world: World) =>
  world.notifier.sent.filter(({ type }) => type === "credential.retired").map(({ data }) => data);

/** A target whose account has the superseded secret beside the published one. */
async function rotated(kind = overlapAdmin): Promise<World> {
  const world = await adopted(kind);
  await rotate(world);
  return world;
}

describe.each([overlapAdmin, overlapSelf])("$name", (kind) => {
  test("Both secrets log in until the grace is over; then the superseded one is ended", async () => {
    const world = await rotated(kind);
    expect(passwords(world)[1]).toBe(old);
    expect((await readRecord(world)).retirement).toMatchObject({
      account: "app",
      accountStays: true,
    });
    world.advance(world.target.grace - hour);
    await work(world);
    expect(passwords(world)[1]).toBe(old);
    world.advance(hour);
    await work(world);
    expect(passwords(world)[1]).toBeUndefined();
    expect(world.publishedWorks()).toBe(true);
    expect(told(world)).toEqual([expect.objectContaining({ account: "app", accountStays: true })]);
  });

  test("A request says how long the superseded secret stays valid", async () => {
    const world = await adopted(kind);
    await rotate(world, { grace: 0 });
    expect(passwords(world)[1]).toBeUndefined();
    expect(world.publishedWorks()).toBe(true);
  });

  test("An exposure ends the superseded secret after the grace of the target", async () => {
    const world = await adopted(kind);
    await rotate(world, { reason: "exposure" });
    expect((await readRecord(world)).retirement).not.toHaveProperty("proof");
    world.advance(world.target.grace);
    await work(world);
    expect(passwords(world)[1]).toBeUndefined();
  });

  test("Nothing is ended while the target refuses the published secret, and a superseded one that still logs in is published again", async () => {
    const world = await rotated(kind);
    setPassword(world, "app", "set by hand");
    world.advance(world.target.grace);
    await work(world);
    expect(world.publishedWorks()).toBe(true);
  });

  test("A person who publishes another secret of the account gives the superseded one a new grace", async () => {
    const world = await rotated(kind);
    world.advance(world.target.grace - hour);
    world.system.seconds.set("app", world.system.passwords.get("app") ?? expect.unreachable());
    setPassword(world, "app", "issued elsewhere");
    await writeByHand(world, "app", "issued elsewhere");
    await work(world, open, true);
    world.advance(2 * hour);
    await work(world);
    expect(passwords(world)[1]).toBeDefined();
    world.advance(world.target.grace);
    await work(world);
    expect(passwords(world)).toEqual(["issued elsewhere", undefined]);
  });

  test("An undo within the grace publishes the superseded secret without setting it, and ends the newer one", async () => {
    const world = await rotated(kind);
    const [newer] = passwords(world);
    const { actions } = explainState(world.target, await readRecord(world), world.now());
    expect(actions).toContainEqual(
      expect.objectContaining({
        kind: "undo",
        why: expect.stringContaining("still works") as string,
      }),
    );
    await accepted(undo(world));
    await work(world);
    expect(world.applied.size).toBe(1);
    expect(passwords(world)).toEqual([newer, old]);
    world.advance(world.target.grace);
    await work(world);
    expect(passwords(world)).toEqual([old, undefined]);
    expect(world.publishedWorks()).toBe(true);
  });
});

test("A report of the superseded secret counts while its password works", async () => {
  const world = await adopted(overlapAdmin);
  const first = (await readRecord(world)).published?.version ?? "";
  await rotate(world);
  const report = { by: "ben", kind: "exposure", version: first } as const;
  const answer = await expose(world.ports(open), world.target, report);
  expect(answer).toMatchObject({
    why: expect.stringContaining("works until Keyturn ends it") as string,
  });
  world.advance(world.target.grace);
  await work(world);
  const late = await expose(world.ports(open), world.target, report);
  expect(late).toMatchObject({ counted: false, why: "the reported version is not in use" });
});

/** Works with a server that keeps no second secret, as some versions of a system do. */
const workWithoutSecond = (world: World) => {
  const ports = world.ports(open);
  const rotator = asSetting(ports.rotator("memory"));
  const apply: typeof rotator.apply = async (change, signal) => {
    const applied = await rotator.apply(change, signal);
    world.system.seconds.clear();
    return { ...applied, kept: false };
  };
  const changed: Ports = { ...ports, rotator: () => ({ ...rotator, apply }) };
  return workOn(changed, world.target);
};

test("Nothing is retired where the server has certainly kept nothing", async () => {
  const world = await adopted(overlapAdmin);
  await request(world);
  await workWithoutSecond(world);
  expect(await readRecord(world)).not.toHaveProperty("retirement");
  expect(world.publishedWorks()).toBe(true);
});

test("A retirement has nothing left to end once the server has certainly kept nothing", async () => {
  const world = await rotated();
  await request(world);
  await workWithoutSecond(world);
  expect(await readRecord(world)).not.toHaveProperty("retirement");
});

test("The next rotation takes the place of a superseded secret whose grace is not over", async () => {
  const world = await rotated();
  const [published] = passwords(world);
  await rotate(world);
  expect(passwords(world)[1]).toBe(published);
  const { retirement } = await readRecord(world);
  const [run] = await world.journal.runs("app", 1);
  expect(retirement?.rotationId).toBe(run?.rotationId);
});

test("A report of any version that has the superseded secret counts, and no undo publishes that secret again", async () => {
  const world = await adopted(overlapAdmin);
  const first = (await readRecord(world)).published?.version ?? "";
  await accepted(importInto(world, { value: new Secret(old) }));
  await work(world);
  await rotate(world);
  expect(passwords(world)[1]).toBe(old);
  const report = { by: "ben", kind: "exposure", version: first } as const;
  expect(await expose(world.ports(open), world.target, report)).toMatchObject({
    why: expect.stringContaining("works until Keyturn ends it") as string,
  });
  expect(await undo(world)).toMatchObject({
    refused: expect.stringContaining("exposed") as string,
  });
});

test("To import the superseded secret answers no report of it", async () => {
  const world = await adopted(overlapAdmin);
  const first = (await readRecord(world)).published?.version ?? "";
  await rotate(world);
  await expose(world.ports(open), world.target, { by: "ben", kind: "exposure", version: first });
  await accepted(importInto(world, { value: new Secret(old) }));
  await work(world);
  expect(publishedIn(world).password).toBe(old);
  expect((await readRecord(world)).exposure).toMatchObject({ version: first });
});
