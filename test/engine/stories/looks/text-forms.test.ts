import { expect, test } from "vitest";
import { findForm } from "../../../../shared/core/payload/texts/forms.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import type { Endpoint, TextFormName } from "../../../../shared/core/target.ts";
import { hour, minute } from "../../../../shared/core/time.ts";
import { accepted, importInto, publishedIn, undo } from "../../given-steps.ts";
import { readRecord, rotate, work } from "../../steps.ts";
import {
  type Kind,
  makeWorld,
  overlapAdmin,
  pairAdmin,
  pairSelf,
  singleAdmin,
  type World,
} from "../../world.ts";

const never = new AbortController().signal;

const server = { host: "db.example.com", port: 5432, database: "shop" };
const postgresql = { engine: "postgresql", ...server };
const mysql = { engine: "mysql", ...server, port: 3306 };
const sqlserver = { engine: "sqlserver", ...server, port: 1433 };
const mongodb = { engine: "mongodb", ...server, port: 27017, more: { authSource: "admin" } };
const redis = { engine: "redis", ...server, port: 6379 };

/** A text that a person wrote, with `more` at its end, which Keyturn does not write. */
interface Written {
  readonly as: TextFormName;
  readonly endpoint: Endpoint;
  readonly text: (account: string, password: string) => string;
  readonly more: string;
}

const written: readonly Written[] = [
  {
    ...{ as: "uri", endpoint: postgresql, more: "sslmode=require&application_name=orders" },
    text: (account, password) => `postgres://${account}:${password}@db.example.com/shop?`,
  },
  {
    ...{ as: "uri", endpoint: mongodb, more: "w=majority&maxPoolSize=50" },
    text: (account, password) => `mongodb+srv://${account}:${password}@c.example.com/?`,
  },
  {
    ...{ as: "uri", endpoint: redis, more: "protocol=3" },
    text: (account, password) => `redis://${account}:${password}@cache.example.com/2?`,
  },
  {
    ...{ as: "jdbc", endpoint: mysql, more: "cachePrepStmts=true" },
    text: (account, password) =>
      `jdbc:mysql://db.example.com/shop?user=${account}&password=${password}&`,
  },
  {
    ...{ as: "jdbc", endpoint: sqlserver, more: "loginTimeout=30" },
    text: (account, password) =>
      `jdbc:sqlserver://db.example.com;user=${account};password=${password};`,
  },
  {
    ...{ as: "ado", endpoint: sqlserver, more: "Application Name=orders;Max Pool Size=50;" },
    text: (account, password) =>
      `Data Source=db.example.com;Initial Catalog=shop;UID=${account};PWD=${password};`,
  },
  {
    ...{ as: "odbc", endpoint: sqlserver, more: "MARS_Connection=yes" },
    text: (account, password) => `DSN=orders;UID=${account};PWD={${password}};`,
  },
  {
    ...{ as: "libpq", endpoint: postgresql, more: "connect_timeout=3 target_session_attrs=any" },
    text: (account, password) => `host=db.example.com user=${account} password='${password}' `,
  },
  {
    ...{ as: "sqlalchemy", endpoint: postgresql, more: "ssl=require" },
    text: (account, password) => `postgresql+asyncpg://${account}:${password}@db/shop?`,
  },
];

/** The world of a target that publishes a text. */
async function makeTextWorld(kind: Kind, as: TextFormName, endpoint: Endpoint): Promise<World> {
  const world = await makeWorld(kind);
  return {
    ...world,
    target: { ...world.target, publish: { ...world.target.publish, as } },
    ports: (gate, aheadMs) => {
      const ports = world.ports(gate, aheadMs);
      return {
        ...ports,
        rotator: (type) => ({ ...ports.rotator(type), endpoint: () => endpoint }),
      };
    },
  };
}

function writeText(world: World, text: string) {
  return world.vault.write("app-db", { value: new Secret(text), contentType: "", tags: {} }, never);
}

const newest = (world: World) => world.vault.versions("app-db").at(-1)?.value.reveal() ?? "";
const problems = (world: World) =>
  world.events.filter(({ type }) =>
    ["shape-differs", "not-kept", "drift", "alarm", "attempt-failed"].includes(type),
  );

const kindsOfText = [singleAdmin, overlapAdmin, pairAdmin, pairSelf];
const cases = written.flatMap((one) => kindsOfText.map((kind) => ({ ...one, kind })));

test.each(cases)(
  "A text of a person is adopted as $as of $endpoint.engine, rotated and undone, and keeps what he added: $kind.name",
  async ({ kind, as, endpoint, text, more }) => {
    const world = await makeTextWorld(kind, as, endpoint);
    const [first = "", second = first] = kind.accounts;
    await writeText(world, text(first, `first-secret-of-${first}`) + more);
    await work(world);
    expect((await readRecord(world)).active).toBe(first);
    const expectText = (account: string) => {
      const { password = "" } = publishedIn(world);
      expect(newest(world).replace(`{${password}}`, password)).toBe(
        (text(account, password) + more).replace(`{${password}}`, password).replaceAll("'", ""),
      );
      expect(world.publishedWorks()).toBe(true);
    };
    for (const account of [second, first]) {
      await rotate(world);
      expectText(account);
      world.advance(48 * hour);
      await work(world, undefined, true);
      expectText(account);
    }
    await rotate(world);
    expectText(second);
    if (kind !== singleAdmin && kind !== pairSelf) {
      world.advance(minute);
      await accepted(undo(world));
      await work(world);
      expectText(kind === pairAdmin ? first : second);
    }
    expect(problems(world)).toEqual([]);
  },
);

test.each(written)(
  "An imported secret is published as $as of $endpoint.engine, and the text is known as Keyturn's own",
  async ({ as, endpoint }) => {
    const world = await makeTextWorld(singleAdmin, as, endpoint);
    await work(world);
    const value = `a 'b" {c};d=e&f%41+g@h\\i';user=evil;pwd=x;driver=y}`;
    await accepted(importInto(world, { value: new Secret(value) }));
    await work(world);
    const text = findForm(as, endpoint.engine)?.render(endpoint, {
      ...{ username: "app", password: value },
    });
    expect(newest(world)).toBe(text);
    expect(world.system.passwords.get("app")?.reveal()).toBe(value);
    const events = world.events.length;
    world.advance(2 * hour);
    await work(world, undefined, true);
    const later = world.events.slice(events).map(({ type }) => type);
    expect(later).not.toContain("drift");
    expect((await readRecord(world)).health).toBe("healthy");
    await rotate(world);
    expect(world.publishedWorks()).toBe(true);
    expect(newest(world)).not.toBe(text);
  },
);

test("A parameter that a person changes by hand is adopted and stays", async () => {
  const world = await makeTextWorld(singleAdmin, "uri", postgresql);
  await work(world);
  await rotate(world);
  expect(newest(world)).toMatch(
    /^postgresql:\/\/app:.+@db\.example\.com:5432\/shop\?sslmode=verify-full$/,
  );
  await writeText(world, `${newest(world).replace("verify-full", "require")}&connect_timeout=3`);
  world.advance(hour);
  await work(world, undefined, true);
  for (let round = 0; round < 2; round++) {
    await rotate(world);
    expect(newest(world)).toMatch(/shop\?sslmode=require&connect_timeout=3$/);
    expect(world.publishedWorks()).toBe(true);
  }
});

test("JSON that the next rotation will replace by a text is reported at the adoption", async () => {
  const world = await makeTextWorld(singleAdmin, "libpq", postgresql);
  await work(world);
  expect(problems(world)).toMatchObject([
    {
      type: "shape-differs",
      detail:
        "app-db holds JSON; the next rotation will replace it with a connection string of libpq (publish.as: libpq)",
    },
  ]);
});

test("A text of another account of the server is no credential of the target", async () => {
  const world = await makeTextWorld(singleAdmin, "ado", sqlserver);
  await writeText(world, "Server=db;User ID=other;Password=first-secret-of-app");
  await work(world);
  const { lastFailure } = await readRecord(world);
  expect(lastFailure?.message).toContain("the secret holds a connection string of another account");
  expect(world.system.logIns).toBe(0);
});

test("After publish.as changes, the next rotation writes the other form", async () => {
  const before = await makeTextWorld(pairAdmin, "uri", postgresql);
  await work(before);
  await rotate(before);
  const { publish } = before.target;
  const after = {
    ...before,
    target: { ...before.target, publish: { ...publish, as: "ado" } as const },
  };
  after.advance(48 * hour);
  await work(after, undefined, true);
  await rotate(after);
  expect(newest(after)).toMatch(/^Host=db\.example\.com;Port=5432;Database=shop;Username=app_a;/);
  expect(after.publishedWorks()).toBe(true);
});
