import { afterAll, beforeAll, expect, test } from "vitest";
import { maxGuesses } from "../../shared/core/looks/guesses.ts";
import type { Verified } from "../../shared/core/looks/verified.ts";
import { countVersions, makeConfig, own, published, seed, single } from "./world/targets.ts";
import { newPassword, startWorld, type World } from "./world/world.ts";

const names = ["asked", "own", "many"];
let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        asked: single(places, "asked"),
        own: own(places, "own"),
        many: single(places, "many"),
      }),
  });
  for (const name of names) await seed(world, name);
  await world.start();
  for (const name of names) await world.api.ended(await world.api.rotate(name));
});
afterAll(() => world.close());

async function send(target: string) {
  const answer = await world.api.send("POST", `/api/targets/${target}/verify`);
  return { ...answer, body: JSON.parse(answer.text) as Verified };
}

async function verify(target: string): Promise<Verified> {
  const { status, body } = await send(target);
  expect(status).toBe(200);
  return body;
}

test("the published password is accepted, with its account and version, and nothing is changed", async () => {
  for (const name of ["asked", "own"]) {
    const { version } = await published(world.secrets, name);
    const found = await verify(name);
    expect(found).toMatchObject({ target: name, result: "accepted", account: name, version });
    const { verifiedAt = "", lastSuccessAt = "" } = await world.api.target(name);
    expect(Date.parse(verifiedAt) - Date.parse(found.checkedAt)).toBeLessThan(1_000);
    expect(verifiedAt > lastSuccessAt).toBe(true);
    expect(await countVersions(world.secrets, name)).toBe(2);
  }
});

test("a server that is down is unreachable, until it is up again", async () => {
  world.lines.database.cut();
  const found = await verify("asked");
  world.lines.database.restore();
  expect(found).toMatchObject({ result: "unreachable", account: "asked" });
  expect(found.why).toContain("This says nothing about the password.");
  expect(await verify("asked")).toMatchObject({ result: "accepted" });
});

test("after ALTER ROLE the published password is rejected, and Keyturn publishes a new one", async () => {
  const { password, version } = await published(world.secrets, "asked");
  await world.database.account("asked", newPassword());
  const found = await verify("asked");
  expect(found).toMatchObject({ result: "rejected", account: "asked", version });
  await world.api.until("asked", ({ published: now, health }) => {
    return health === "healthy" && now?.version !== version;
  });
  expect(await verify("asked")).toMatchObject({ result: "accepted" });
  const { output } = world;
  expect(`${output.written}${JSON.stringify(output.answers)}`).not.toContain(password);
});

test("many callers at once stay within the wrong guesses that lock no account, and each gets an answer", async () => {
  await world.database.account("many", newPassword());
  const answers = await Promise.all(Array.from({ length: 12 }, () => send("many")));
  for (const { status, headers, body } of answers) {
    if (status === 409) expect(headers.get("retry-after")).toBe("5");
    else
      expect([status, body.result]).toEqual([200, expect.stringMatching(/^(rejected|accepted)$/)]);
  }
  expect(answers.some(({ body }) => body.result === "rejected")).toBe(true);
  // A refusal is answered with its time. The check and the cure that follow make guesses of their own.
  const refusedAt = new Set(
    answers.flatMap(({ body }) => (body.result === "rejected" ? body.checkedAt : [])),
  );
  expect(refusedAt.size).toBeLessThanOrEqual(maxGuesses);
  await world.api.until("many", ({ health, rotation }) => health === "healthy" && !rotation);
});

test("an unknown target is answered 404, and a missing key 401", async () => {
  expect((await send("nobody")).status).toBe(404);
  const url = `${world.host().url}/api/targets/asked/verify`;
  expect((await fetch(url, { method: "POST" })).status).toBe(401);
});
