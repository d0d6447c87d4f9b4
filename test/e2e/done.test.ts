import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { patient } from "./world/api.ts";
import {
  makeConfig,
  own,
  pair,
  type Published,
  published,
  seed,
  seedPair,
  single,
} from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        one: single(places, "one"),
        self: own(places, "self"),
        two: pair(places, "two"),
      }),
  });
  await world.start();
});
afterAll(() => world.close());

/** What the server says to a plain client that verifies its certificate. */
async function whoAmI({ username, password }: Pick<Published, "username" | "password">) {
  const { host, port, caFile } = world.database;
  const ca = await readFile(caFile, "utf8");
  const client = new Client({
    host,
    port,
    user: username,
    password,
    database: "postgres",
    ssl: { ca },
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ me: string }>("SELECT current_user AS me");
    return rows[0]?.me;
  } catch (error) {
    return Reflect.get(Object(error), "code") as unknown;
  } finally {
    await client.end();
  }
}

const refused = "28P01";

test.each([
  ["an administrator", "one"],
  ["the account itself", "self"],
])(
  "A password that %s changed logs in when read with the official client, and the old one is refused",
  async (_, name) => {
    const { api, secrets } = world;
    const password = await seed(world, name);
    expect(await whoAmI({ username: name, password })).toBe(name);

    const run = await api.ended(await api.rotate(name));

    expect(run).toMatchObject({ state: "done", account: name, cause: "operator" });
    const now = await published(secrets, name);
    expect(now).toMatchObject({ username: name, version: run.published?.version });
    expect(await whoAmI(now)).toBe(name);
    expect(await whoAmI({ username: name, password })).toBe(refused);
    expect((await api.target(name)).health).toBe("healthy");
  },
);

test("A rotation of a pair publishes the other account; without grace the superseded one is refused at once", async () => {
  const { api, secrets } = world;
  const before = { username: "two_a", password: await seedPair(world, "two") };
  expect(await whoAmI(before)).toBe("two_a");

  await api.ended(await api.rotate("two", { grace: "0s" }));

  const after = await published(secrets, "two");
  expect(after.username).toBe("two_b");
  expect(await whoAmI(after)).toBe("two_b");
  await vi.waitFor(async () => {
    expect(await whoAmI(before)).toBe(refused);
  }, patient);
  expect(await whoAmI(after)).toBe("two_b");
});

test("With grace, the superseded credential of a pair stays valid beside the new one", async () => {
  const { api, secrets } = world;
  const before = await published(secrets, "two");

  await api.ended(await api.rotate("two"));

  const after = await published(secrets, "two");
  expect(after.username).toBe("two_a");
  expect(await whoAmI(after)).toBe("two_a");
  expect(await whoAmI(before)).toBe("two_b");
  const { retirement } = await api.target("two");
  expect(retirement?.account).toBe("two_b");
});

test("The host stops in order when it receives SIGTERM", async () => {
  expect(await world.host().stop()).toBe(0);
});
