import { expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day } from "../../../../shared/core/time.ts";
import { readRecord, request, work } from "../../steps.ts";
import {
  type Kind,
  makeWorld,
  open,
  pairAdmin,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

const password = "first-secret-of-app";
const json = JSON.stringify;

/** A target whose published secret was written by a person. */
async function adoptedWith(value: string, kind: Kind = singleAdmin): Promise<World> {
  const world = await makeWorld(kind);
  const content = { value: new Secret(value), contentType: "", tags: {} };
  await world.vault.write("app-db", content, new AbortController().signal);
  await work(world);
  return world;
}

const warnings = (world: World) =>
  world.events.filter(({ type }) => type === "shape-differs").map(({ detail }) => detail);
const readAdoption = (world: World) =>
  world.notifier.sent.find(({ type }) => type === "credential.adopted")?.data;

test.each([
  `\uFEFF${json({ username: "app", password })}`,
  json({ user: "app", pass: password }),
  json({ data: { username: "app", password } }),
  json({ value: json({ username: "app", password }) }),
])(
  "A credential in another kind of JSON is adopted, and stays readable in that form: %s",
  async (value) => {
    const world = await adoptedWith(value);
    expect((await readRecord(world)).published).toBeDefined();
    expect(warnings(world)).toEqual([]);
    const id = await request(world);
    await work(world);
    expect((await world.journal.run("app", id))?.state).toBe("done");
    const text = world.vault.versions("app-db").at(-1)?.value.reveal() ?? "";
    const before = JSON.parse(value.replace(/^\uFEFF/, "")) as Record<string, unknown>;
    expect(Object.keys(JSON.parse(text) as object)).toEqual(
      expect.arrayContaining(Object.keys(before)),
    );
    expect(text).not.toContain(password);
    expect(world.publishedWorks()).toBe(true);
  },
);

test.each([
  [`postgres://app:${password}@db.example.com:5432/shop`, "holds a URL"],
  [`host=db user=app password=${password}`, "holds a connection string"],
  [`${password}\n`, "holds a bare password"],
])(
  "A credential in a form that Keyturn does not write is adopted with a warning",
  async (value, what) => {
    const world = await adoptedWith(value);
    const record = await readRecord(world);
    expect(record.health).toBe("healthy");
    expect(record.published).toBeDefined();
    const warning =
      `app-db ${what}; the next rotation will replace it with JSON with username and password ` +
      "(publish.as: json)";
    expect(warnings(world)).toEqual([warning]);
    expect(readAdoption(world)).toMatchObject({ account: "app", warning });
    expect(world.applied.size).toBe(0);
  },
);

test.each([
  ["<login>app</login>", "the secret holds XML"],
  ["postgres://other:password-of-other@db/shop", "the secret holds a URL of another account"],
  [
    Buffer.from(json({ username: "app", password })).toString("base64"),
    "the secret holds an encoded text",
  ],
  ["app_user=1\napp_pw=2", "the secret holds several lines of text"],
])(
  "A text without a credential is not tried, and not replaced before a rotation is due: %s",
  async (value, what) => {
    const world = await adoptedWith(value);
    const { health, lastFailure, nextDue } = await readRecord(world);
    expect(world.system.logIns).toBe(0);
    expect(world.applied.size).toBe(0);
    expect(health).toBe("failing");
    expect(lastFailure?.kind).toBe("config");
    expect(lastFailure?.message).toContain(`app-db holds no credential of target app: ${what}`);
    expect(lastFailure?.message).toContain("The next rotation will replace it with JSON");
    expect(world.notifier.sent.map(({ type }) => type)).toContain("drift.found");
    expect(Date.parse(nextDue ?? "") - Date.parse(world.now())).toBe(90 * day);
    const id = await request(world);
    await work(world);
    expect((await world.journal.run("app", id))?.state).toBe("done");
    expect(world.publishedWorks()).toBe(true);
  },
);

test.each(["", "{}", json({ sslmode: "require" }), json({ username: "app", password: "" })])(
  "A value that loses nothing is replaced at once: %s",
  async (value) => {
    const world = await adoptedWith(value);
    expect(world.publishedWorks()).toBe(true);
    expect((await world.journal.runs("app", 1))[0]).toMatchObject({
      reason: "first",
      state: "done",
    });
  },
);

test("The bare password of a pair is not tried for either account", async () => {
  const world = await adoptedWith("first-secret-of-app_a", pairAdmin);
  expect((await readRecord(world)).lastFailure?.message).toContain(
    "bare password without an account name",
  );
  // The initial secret of the second account.
  expect(world.system.logIns).toBe(1);
});

test("An account that changes itself is not adopted, and the message names the content that was found", async () => {
  const world = await adoptedWith("<login>app</login>", singleSelf);
  const { health, lastFailure } = await readRecord(world);
  expect(health).toBe("blocked");
  expect(lastFailure?.message).toContain(
    "app-db holds no credential of target app: the secret holds XML; no stored secret of app logs in",
  );
  expect(world.system.logIns).toBe(0);
});

test("A version that a person wrote in another form while Keyturn rotates is adopted with the same warning", async () => {
  const world = await adoptedWith(json({ username: "app", password }));
  const value = new Secret(`postgres://app:${password}@db.example.com:5432/shop`);
  await world.vault.write(
    "app-db",
    { value, contentType: "", tags: {} },
    new AbortController().signal,
  );
  await work(world, open, true);
  const drift = world.notifier.sent.find(({ type }) => type === "drift.found");
  const warning = "app-db holds a URL; the next rotation will replace it with JSON";
  expect(drift?.data["detail"]).toContain(`the version logs in and was adopted; ${warning}`);
  expect(warnings(world)).toHaveLength(1);
});

test("A version that holds no credential is reported with its kind of content", async () => {
  const world = await adoptedWith(json({ username: "app", password }));
  const value = new Secret("<login>app</login>");
  await world.vault.write(
    "app-db",
    { value, contentType: "", tags: {} },
    new AbortController().signal,
  );
  await work(world, open, true);
  const drift = world.notifier.sent.find(({ type }) => type === "drift.found");
  expect(drift?.data["detail"]).toBe(
    "the secret holds no credential of the target: the secret holds XML",
  );
});
