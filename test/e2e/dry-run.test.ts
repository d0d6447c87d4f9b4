import { afterAll, beforeAll, expect, test } from "vitest";
import type { DryRun } from "../../shared/core/dry-run.ts";
import { countVersions, makeConfig, publishedName, seed, single } from "./world/targets.ts";
import { asJson, newPassword, startWorld, type World } from "./world/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        fine: single(places, "fine"),
        unowned: single(places, "unowned", { admin: { secret: "weak-admin" } }),
        misled: single(places, "misled", { admin: { secret: "wrong-admin" } }),
        stale: single(places, "stale"),
        dead: single(places, "dead", { options: { ...places.postgresql, port: 1 } }),
      }),
  });
  for (const name of ["fine", "unowned", "misled", "stale", "dead"]) await seed(world, name);
  const password = newPassword();
  await world.database.account("weak_admin", password);
  await world.store("weak-admin", asJson("weak_admin", password));
  const { account } = world.database.admin;
  await world.store("wrong-admin", asJson(account, newPassword()));
  await world.store(publishedName("stale"), asJson("stale", newPassword()));
  await world.start();
});
afterAll(() => world.close());

async function dryRun(name: string): Promise<DryRun> {
  const answer = await world.api.send("POST", `/api/targets/${name}/dry-run`);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text) as DryRun;
}

const having = ({ checks }: DryRun, result: string) =>
  checks.filter((one) => one.result === result).map(({ check }) => check);

test("A dry run of a target with every right is ready, and changes nothing", async () => {
  const before = await countVersions(world.secrets, "fine");
  const found = await dryRun("fine");
  expect(found).toMatchObject({ target: "fine", ready: true });
  expect(having(found, "ok")).toEqual(
    expect.arrayContaining(["published-log-in", "admin-log-in", "privilege", "obstacles"]),
  );
  expect(await countVersions(world.secrets, "fine")).toBe(before);
});

test.each([
  ["the admin lacks ADMIN OPTION", "unowned", ["privilege"], /weak_admin/],
  ["the admin secret holds a wrong password", "misled", ["admin-log-in"], /wrong-admin/],
  ["the database is down", "dead", ["published-log-in", "admin-log-in"], /:1\b/],
])("A dry run finds that %s", async (_what, name, failed, says) => {
  const found = await dryRun(name);
  expect([found.ready, having(found, "failed")]).toEqual([false, failed]);
  expect(found.checks.map(({ sentence }) => sentence).join("\n")).toMatch(says);
});

test("A dry run finds that the database refuses the published secret", async () => {
  // The target is not adopted yet, which a rotation would wait for.
  const found = await dryRun("stale");
  expect([found.ready, having(found, "warning")]).toEqual([true, ["start", "published-log-in"]]);
});
