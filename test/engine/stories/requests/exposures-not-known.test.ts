import { expect, test } from "vitest";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { passwordOf, publishedIn } from "../../given-steps.ts";
import { seen, withPolicy } from "../../policy-world.ts";
import { adopted, readRecord, request, setPassword, work, writeByHand } from "../../steps.ts";
import {
  type Gate,
  type Kind,
  open,
  pairAdmin,
  pairProof,
  pairSelf,
  singleAdmin,
  type World,
} from "../../world.ts";

/** Reports about a secret that consumers read already, and that the journal does not know yet. */
async function watched(kind: Kind): Promise<World> {
  return withPolicy(await adopted(kind), { afterExposure: 4 * hour });
}

const byHand = "set-and-stored-by-hand";

async function publishByHand(world: World, account: string): Promise<void> {
  world.advance(minute);
  setPassword(world, account, byHand);
  await writeByHand(world, account, byHand);
  world.advance(minute);
}

async function workFor(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += hour) {
    world.advance(hour);
    await work(world);
  }
}

/** A rotation publishes, and its worker dies before the journal has the version. Returns what consumers read since. */
async function publishUnrecorded(world: World): Promise<{ password: string; version: string }> {
  await request(world);
  let writes = 0;
  let die: (value: unknown) => void = () => undefined;
  const died = new Promise((resolve) => {
    die = resolve;
  });
  const gate: Gate = async (effect, call) => {
    // The pending version is the first one that is written.
    if (writes === 2) return new Promise(() => undefined);
    const result = await call();
    if (effect === "vault.write" && ++writes === 2) {
      die(undefined);
      return new Promise(() => undefined);
    }
    return result;
  };
  await Promise.race([work(world, gate), died]);
  world.advance(minute);
  expect((await readRecord(world)).rotation).not.toHaveProperty("published");
  const newest = world.vault.versions("app-db").at(-1);
  return { password: publishedIn(world).password ?? "", version: newest?.ref.version ?? "" };
}

test.each([
  [singleAdmin, "without its version", () => ({})],
  [pairAdmin, "without its version", () => ({})],
  [singleAdmin, "by its version", (version: string) => ({ version })],
  [pairAdmin, "by its version", (version: string) => ({ version })],
])(
  "A published secret that is reported before the journal knows its version is replaced: $0.name, $1",
  async (kind, _how, report) => {
    const world = await watched(kind);
    const { password, version } = await publishUnrecorded(world);
    const answer = await seen(world, report(version));
    expect(answer).toMatchObject({ counted: true });
    expect(answer.why).not.toContain("which changes the secret, is under way");
    world.advance(3 * minute);
    await work(world);
    expect(publishedIn(world).password).toBe(password);
    expect((await readRecord(world)).exposedVersions).toContain(
      (await readRecord(world)).published?.version,
    );
    await workFor(world, 5 * hour);
    expect(publishedIn(world).password).not.toBe(password);
    expect(await readRecord(world)).not.toHaveProperty("exposure");
  },
);

test("A version that nobody knows, reported while a rotation publishes, is forgotten when that rotation ends", async () => {
  const world = await watched(singleAdmin);
  await publishUnrecorded(world);
  const answer = await seen(world, { version: "not-ours" });
  expect(answer.why).toContain("the reported version may be the one that rotation");
  world.advance(3 * minute);
  await work(world);
  expect(await readRecord(world)).not.toHaveProperty("exposure");
  expect((await seen(world, { version: "not-ours" })).counted).toBe(false);
});

test("A report about a secret that somebody published by hand counts, although an earlier report concerned the one before", async () => {
  const world = await watched(singleAdmin);
  await seen(world);
  await publishByHand(world, "app");
  expect((await seen(world)).counted).toBe(true);
  await work(world, open, true);
  await workFor(world, 5 * hour);
  expect(publishedIn(world).password).not.toBe(byHand);
});

test.each([pairAdmin, pairProof, pairSelf])(
  "The reported password of a pair ends, although somebody published the other account by hand: $name",
  async (kind) => {
    const world = await watched(kind);
    const exposed = passwordOf(world, "app_a");
    await seen(world);
    await publishByHand(world, "app_b");
    await work(world, open, true);
    expect((await readRecord(world)).published).toMatchObject({ name: "app-db" });
    await workFor(world, day);
    expect(passwordOf(world, "app_a")).not.toBe(exposed);
    expect(world.publishedWorks()).toBe(true);
    expect(await readRecord(world)).not.toHaveProperty("exposure");
  },
);
