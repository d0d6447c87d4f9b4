import { expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { accepted, importInto, publishedIn, undo } from "../../given-steps.ts";
import { seen, withPolicy } from "../../policy-world.ts";
import { adopted, readRecord, rotate, setPassword, work } from "../../steps.ts";
import { type Kind, open, pairAdmin, singleAdmin, type World } from "../../world.ts";

/** The same secret in another version is as exposed as in the version that was reported. */
async function watched(kind: Kind): Promise<World> {
  return withPolicy(await adopted(kind), { afterExposure: 4 * hour });
}

async function versionOf(world: World, account: string): Promise<string> {
  const { slots } = await readRecord(world);
  return slots.find((slot) => slot.account === account)?.current?.version ?? "none";
}

async function importAgain(world: World, password = publishedIn(world).password): Promise<void> {
  await accepted(importInto(world, { value: new Secret(password ?? "") }));
  await work(world);
  expect(publishedIn(world).password).toBe(password);
}

async function expectReplaced(world: World): Promise<void> {
  const { password } = publishedIn(world);
  world.advance(4 * hour);
  await work(world);
  expect(publishedIn(world).password).not.toBe(password);
  expect(await readRecord(world)).not.toHaveProperty("exposure");
}

test.each([
  ["without its version", () => ({})],
  ["by its version", (version: string) => ({ version })],
])(
  "An import of the present secret does not answer a report of it, made %s",
  async (_how, report) => {
    const world = await watched(singleAdmin);
    const answer = await seen(world, report(await versionOf(world, "app")));
    world.advance(hour);
    await importAgain(world);
    expect((await readRecord(world)).nextDue).toBe(answer.nextDue);
    world.advance(3 * hour);
    await work(world);
    expect(publishedIn(world).password).not.toBe("first-secret-of-app");
  },
);

test("An import of the reported secret of the account that is not published does not answer the report", async () => {
  const world = await watched(pairAdmin);
  await rotate(world);
  world.advance(minute);
  await seen(world, { version: await versionOf(world, "app_a") });
  await importAgain(world, "first-secret-of-app_a");
  await expectReplaced(world);
});

test("An import of the present secret does not make it younger, and can be followed by an undo", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  world.advance(80 * day);
  await work(world);
  const { nextDue, lastSuccessAt } = await readRecord(world);
  await importAgain(world);
  expect(await readRecord(world)).toMatchObject({ nextDue, lastSuccessAt });
  await accepted(undo(world));
  await work(world);
  expect(publishedIn(world).password).toBe("first-secret-of-app");
});

test.each([
  ["app", singleAdmin],
  ["app_a", pairAdmin],
] as const)(
  "A report about the version whose secret an undo published again counts: %s",
  async (account, kind) => {
    const world = await watched(kind);
    const version = await versionOf(world, account);
    await rotate(world);
    world.advance(minute);
    await accepted(undo(world));
    await work(world);
    world.advance(minute);
    expect(await seen(world, { version })).toMatchObject({ counted: true });
    expect((await readRecord(world)).exposedVersions).toEqual([
      version,
      await versionOf(world, account),
    ]);
    await expectReplaced(world);
  },
);

test("A report during an undo, about the version whose secret it publishes, counts", async () => {
  const world = await watched(singleAdmin);
  const version = await versionOf(world, "app");
  await rotate(world);
  world.advance(minute);
  await accepted(undo(world));
  let told = false;
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect === "target.apply" && !told) {
      told = true;
      world.advance(minute);
      expect(await seen(world, { version })).toMatchObject({ counted: true });
    }
    return result;
  });
  expect(told).toBe(true);
  expect(publishedIn(world).password).toBe("first-secret-of-app");
  await expectReplaced(world);
});

test("A report about the version from which Keyturn restored the published secret counts", async () => {
  const world = await watched(pairAdmin);
  const manual = withPolicy(world, { manualOnly: true });
  const version = await versionOf(world, "app_a");
  await rotate(manual);
  world.advance(minute);
  setPassword(world, "app_b", "unknown-to-all");
  for (let tries = 0; tries < 90 && publishedIn(world).account !== "app_a"; tries++) {
    await work(manual, open, true);
    world.advance(hour / 2);
  }
  expect(publishedIn(world)).toEqual({ account: "app_a", password: "first-secret-of-app_a" });
  expect(await seen(manual, { version })).toMatchObject({ counted: true });
  expect((await readRecord(world)).exposedVersions).toContain(await versionOf(world, "app_a"));
});
