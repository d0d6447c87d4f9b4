import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dryRun } from "../../../functions/schemas/dry-runs.ts";
import { explainTarget } from "../../../functions/schemas/explanations.ts";
import { endFreeze } from "../../../functions/schemas/freezes.ts";
import { pauseTargets, resumeTargets } from "../../../functions/schemas/pauses.ts";
import { getPlan } from "../../../functions/schemas/plans.ts";
import { requestRotation } from "../../../functions/schemas/rotations.ts";
import { verify } from "../../../functions/schemas/verify.ts";
import { makeConfig, pair, seed, seedPair, single } from "../world/targets.ts";
import { startWorld, type World } from "../world/world.ts";
import { type CommandLine, contentOf, makeCommandLine } from "./run.ts";

const inDays = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const inTwoWeeks = inDays(14);

let world: World;
let keyturn: CommandLine["keyturn"];
let json: CommandLine["json"];
let review: CommandLine["review"];

beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const targets = { one: single(places, "one"), other: single(places, "other") };
      const two = pair(places, "two", { tags: { team: "payments", owner: "ada" } });
      const other = { match: { target: "other" }, every: "90d" };
      const policies = { default: { every: "90d" }, other };
      return { ...makeConfig(places, { ...targets, two }), policies };
    },
  });
  for (const name of ["one", "other"]) await seed(world, name);
  await seedPair(world, "two");
  await world.start();
  ({ keyturn, json, review } = await makeCommandLine(world));
});
afterAll(() => world.close());

const requestedSchema = contentOf(requestRotation.answers[202]);

describe("keyturn pause, resume and freeze", () => {
  test("pause and resume many targets by ids and by filters", async () => {
    const wanted = `--until ${inTwoWeeks} --reason migration`;
    const pausedSchema = contentOf(pauseTargets.answers[200]);
    const many = await json(`pause one other ${wanted}`, pausedSchema);
    expect(many.status).toBe(0);
    expect(many.answer.paused.map(({ target }) => target)).toEqual(["one", "other"]);
    const filtered = await keyturn(`pause --tag team:payments ${wanted}`);
    expect(filtered.stdout).toMatch(/^Target +two\nPaused until +\S+ 00:00 UTC \(in 1\dd /);
    expect((await keyturn("targets")).stdout).toMatch(/^two .* paused/m);
    const { stdout } = await keyturn("targets two", { COLUMNS: "120" });
    expect(stdout).toMatch(/^Paused +until .*, by function key, migration$/m);

    const all = await json("resume --policy default", contentOf(resumeTargets.answers[200]));
    expect(all.answer.resumed.map(({ target }) => target)).toEqual(["one", "two"]);
    const again = await keyturn("resume one other");
    expect(again.stdout).toMatch(/^other +yes .*\none +no +The target was not paused\.$/m);
    expect((await keyturn(`pause nobody ${wanted}`)).status).toBe(3);
    expect((await keyturn("resume --owner nobody")).status).toBe(2);
    expect((await keyturn("pause one --reason late --until 2020-01-01")).status).toBe(2);
  });

  test("a paused target rotates only with --force, and its rotation shows who forced it", async () => {
    await keyturn(`pause one --until ${inTwoWeeks} --reason migration`);
    const waiting = await json("rotate one", requestedSchema);
    expect(waiting.answer.queuedWhy).toContain("migration");
    const explained = await keyturn("explain one", { COLUMNS: "120" });
    expect(explained.stdout).toMatch(/^ +run +keyturn resume one$/m);
    expect(explained.stdout).toMatch(/^ +run +keyturn rotate one --force '/m);
    const forced = await keyturn("rotate one --force leaked --follow");
    expect(forced.status).toBe(0);
    expect(forced.stdout).toMatch(/^Forced +by function key: leaked$/m);
    expect((await keyturn("resume one")).stdout).toMatch(/^Resumed +yes$/m);
  });

  test("a freeze is set, listed, shown and ended", async () => {
    const set = await keyturn(
      `freeze --owner ada --until ${inTwoWeeks} --reason audit --lift none`,
    );
    const id = /^Freeze +(\S+)$/m.exec(set.stdout)?.[1] ?? "";
    expect(set.stdout).toMatch(/^Lifted by +nothing\nApplies to +tag owner:ada\nTargets +1 at/m);
    expect((await keyturn("freezes")).stdout).toContain(`${id}  in force  ${inTwoWeeks} 00:00  1 `);
    const one = await json(`freezes ${id}`, contentOf(endFreeze.answers[200]));
    expect(one.answer).toMatchObject({ id, state: "in force", reason: "audit" });
    expect((await keyturn(`end-freeze ${id}`)).stdout).toMatch(/^Ended by +function key, /m);
    expect(await keyturn("freezes")).toMatchObject({ status: 0, stdout: "" });
    expect((await keyturn("freezes --all --json")).stdout).toContain(`"id":"${id}"`);
    expect((await keyturn("end-freeze 01ARZ3NDEKTSV4RRFFQ69G5FAV")).status).toBe(3);
    expect((await keyturn("end-freeze holidays")).stderr).toContain("must be a ULID");
    expect((await keyturn("freeze --until 2020-01-01 --all --reason late")).status).toBe(2);
  });
});

test("plan shows the plan of the app, which leaves out the freezes of people", async () => {
  const set = await keyturn(
    `freeze two --from ${inDays(80)} --until ${inDays(95)} --reason audit --lift none`,
  );
  const id = /^Freeze +(\S+)$/m.exec(set.stdout)?.[1] ?? "";
  const planned = await json("plan --targets two", contentOf(getPlan.answers[200]));
  expect(planned.answer.rotations.map(({ at }) => at)).toEqual([`${inDays(95)}T00:00:00.000Z`]);
  const text = await keyturn("plan --targets two");
  expect(text).toMatchObject({ status: 0, stderr: "" });
  expect(text.stdout).toContain(" (audit, set by function key)");
  expect((await keyturn("plan --ics")).stdout).toContain("SUMMARY:Rotate two\r\n");
  const nothing = await keyturn("plan --targets tow");
  expect(nothing).toMatchObject({ status: 2, stdout: "" });
  expect(nothing.stderr).toContain('No target matches "tow"');
  await keyturn(`end-freeze ${id}`);
});

test("verify, dry-run and explain answer", async () => {
  expect((await json("verify one", contentOf(verify.answers[200]))).status).toBe(0);
  expect((await keyturn("verify one")).stdout).toMatch(/^Result +accepted$/m);
  expect((await json("dry-run one", contentOf(dryRun.answers[200]))).status).toBe(0);
  expect((await keyturn("dry-run one")).stdout).toMatch(/^Ready +yes$/m);
  const explained = await json("explain one", contentOf(explainTarget.answers[200]));
  expect(explained.answer.target).toBe("one");
  expect((await keyturn("explain one")).stdout).toMatch(/^Summary +\S/m);
  for (const line of ["verify nobody", "dry-run nobody", "explain nobody"]) {
    expect([line, (await keyturn(line)).status]).toEqual([line, 3]);
  }
});

test("no output contains the key of the app", () => {
  const { count, leaks } = review([]);
  expect(count).toBeGreaterThan(20);
  expect(leaks).toEqual([]);
});
