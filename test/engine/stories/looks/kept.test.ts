import { expect, test } from "vitest";
import { VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { hour } from "../../../../shared/core/time.ts";
import { readRecord, request, rotate, setPassword, work } from "../../steps.ts";
import {
  type Gate,
  type Kind,
  kinds,
  makeWorld,
  pairAdmin,
  singleAdmin,
  type World,
} from "../../world.ts";

const never = new AbortController().signal;
const tags = { team: "payments", "keyturn-rotation": "a copy", CredentialId: "a copy" };
const contentType = "application/json; charset=utf-8";

function extrasFor(account: string, password: string) {
  return {
    sslmode: "require",
    host: "pooler.example.com",
    url: `postgres://${account}:${password}@db.example.com/shop`,
    limits: { pool: 5 },
  };
}

/** Adopts a target whose published secret holds more than a credential. */
async function worldWithExtras(kind: Kind, more: object = {}): Promise<World> {
  const world = await makeWorld(kind);
  const [account = ""] = kind.accounts;
  const password = `first-secret-of-${account}`;
  const body = { ...extrasFor(account, password), username: account, password, ...more };
  const value = new Secret(JSON.stringify(body));
  await world.vault.write("app-db", { value, contentType, tags }, never);
  await work(world);
  return world;
}

function newest(world: World) {
  const version = world.vault.versions("app-db").at(-1);
  if (!version) throw new Error("nothing is published");
  const body = JSON.parse(version.value.reveal()) as Record<string, string>;
  return { ...version, body };
}

/** Expects that all earlier content is still present, and up to date. */
function expectExtras(world: World): void {
  const { body, ...version } = newest(world);
  const { username = "", password = "" } = body;
  expect(body).toMatchObject(extrasFor(username, password));
  expect(version.contentType).toBe(contentType);
  expect(version.tags).toMatchObject({ team: "payments", CredentialId: username });
  expect(world.publishedWorks()).toBe(true);
}

for (const kind of kinds) {
  test(`Rotations keep what is published besides the credential: ${kind.name}`, async () => {
    const world = await worldWithExtras(kind);
    for (let round = 0; round < 3; round++) {
      const id = await rotate(world);
      expect((await world.journal.run("app", id))?.state).toBe("done");
      expect(newest(world).tags["keyturn-rotation"]).toBe(id);
      expectExtras(world);
      world.advance(48 * hour);
      await work(world);
    }
  });
}

test("A lost reply to the write leaves versions with equal values, all with the other content", async () => {
  const world = await worldWithExtras(singleAdmin);
  let writes = 0;
  const losesReply: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "vault.write" && ++writes === 2) throw new VaultUnavailableError("no reply");
    return result;
  };
  await request(world);
  const before = world.vault.versions("app-db").length;
  await work(world, losesReply);
  expect(world.events.filter(({ type }) => type === "attempt-failed")).toHaveLength(1);
  expect(world.vault.versions("app-db")).toHaveLength(before + 1);
  expect((await readRecord(world)).rotation).toBeUndefined();
  expectExtras(world);
});

test("An account of a pair that is published again keeps its other content", async () => {
  const world = await worldWithExtras(pairAdmin);
  let lost = false;
  // The target forgets the change once it was published.
  const forgets: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "vault.write" && newest(world).body["username"] === "app_b" && !lost) {
      lost = true;
      setPassword(world, "app_b", "something else");
    }
    return result;
  };
  await request(world);
  await work(world, forgets);
  expect(world.events.map(({ type }) => type)).toContain("restored");
  expect(newest(world).body["username"]).toBe("app_a");
  expectExtras(world);
});

test("A disabled version does not lose the content of the version before it", async () => {
  const world = await worldWithExtras(singleAdmin);
  const value = new Secret("{}");
  const ref = await world.vault.write("app-db", { value, contentType: "", tags: {} }, never);
  await world.vault.disable(ref, never);
  await rotate(world);
  expectExtras(world);
});

test("A rotation fails before it changes anything when the new version would be too large", async () => {
  const certificate = "x".repeat(25 * 1024 - 220);
  const world = await worldWithExtras(singleAdmin, { certificate });
  const versions = world.vault.versions("app-db").length;
  const id = await rotate(world);
  const run = await world.journal.run("app", id);
  expect(run).toMatchObject({ state: "failed", failure: { kind: "config" } });
  expect(run?.failure?.message).toMatch(
    /^a new credential does not fit into secret app-db .* 25600 bytes/,
  );
  expect(world.applied.size).toBe(0);
  expect(world.vault.names()).not.toContain("keyturn-pending-app");
  expect(world.vault.versions("app-db")).toHaveLength(versions);
});

test("A version that somebody wrote after a rotation must leave room for a credential, with or without a vault event", async () => {
  const world = await worldWithExtras(singleAdmin);
  await rotate(world);
  const body = { username: "app", password: "by hand", certificate: "" };
  const certificate = "x".repeat(25 * 1024 - JSON.stringify(body).length);
  const value = new Secret(JSON.stringify({ ...body, certificate }));
  setPassword(world, "app", "by hand");
  await world.vault.write("app-db", { value, contentType, tags: {} }, never);
  const id = await rotate(world);
  const run = await world.journal.run("app", id);
  expect(run?.failure?.message).toMatch(
    /^a new credential does not fit into secret app-db .* 25600 bytes/,
  );
  expect(world.applied.size).toBe(1);
  const pending = () => world.vault.versions("keyturn-pending-app");
  expect(pending().filter(({ enabled }) => enabled)).toEqual([]);
  const before = pending().length;
  world.advance(7 * hour);
  await work(world);
  expect(pending()).toHaveLength(before);
});

test("Content that Keyturn cannot update stays unchanged and is reported", async () => {
  const basic = Buffer.from("app:first-secret-of-app").toString("base64");
  const world = await worldWithExtras(singleAdmin, { basic });
  await rotate(world);
  expect(newest(world).body["basic"]).toBe(basic);
  expect(world.events.filter(({ type }) => type === "not-kept")).toEqual([
    expect.objectContaining({
      severity: "warning",
      version: newest(world).ref,
      detail: expect.stringMatching(/^app-db: basic still holds/) as string,
    }),
  ]);
});

test("The tags of the configuration are those of the published secret", async () => {
  const world = await worldWithExtras(singleAdmin);
  const target = { ...world.target, tags: { team: "orders", cost: "42" } };
  const configured = { ...world, target };
  await rotate(configured);
  expect(newest(world).tags).toMatchObject({ team: "orders", cost: "42", CredentialId: "app" });
});
