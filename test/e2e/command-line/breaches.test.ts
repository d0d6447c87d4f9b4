import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breachTarget } from "../../../functions/schemas/breach-answers.ts";
import {
  confirmBreach,
  getBreach,
  listBreaches,
  previewBreach,
} from "../../../functions/schemas/breaches.ts";
import { makeConfig, pair, seed, seedPair, single } from "../world/targets.ts";
import { everySecond, startWorld, type World } from "../world/world.ts";
import { type CommandLine, contentOf, makeCommandLine } from "./run.ts";

const nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

let world: World;
let keyturn: CommandLine["keyturn"];
let json: CommandLine["json"];
let review: CommandLine["review"];

beforeAll(async () => {
  world = await startWorld({
    sweep: everySecond,
    config: (places) => {
      const tags = { env: "production", owner: "ada" };
      const targets = {
        one: single(places, "one", { tags }),
        two: pair(places, "two", { tags }),
        stuck: single(places, "stuck"),
      };
      const retry = { attempts: 1, every: "1s", thenEvery: "1h" };
      return makeConfig(places, targets, { policies: { default: { every: "90d", retry } } });
    },
  });
  for (const name of ["one", "stuck"]) await seed(world, name);
  await seedPair(world, "two");
  await world.start();
  for (const name of ["one", "two", "stuck"]) {
    await world.api.until(name, ({ health }) => health === "healthy");
  }
  await world.database.sql("REVOKE stuck FROM rotation_admin");
  ({ keyturn, json, review } = await makeCommandLine(world));
});
afterAll(() => world.close());

const breachSchema = contentOf(getBreach.answers[200]);
const previewSchema = contentOf(previewBreach.answers[201]);

describe("keyturn breach", () => {
  test("--preview shows what it would do, starts nothing, and says how to start it", async () => {
    const line =
      "breach --tag env:production --tag owner:ada --reason theft --ticket SEC-1 --force --preview";
    const { status, stdout, stderr } = await keyturn(line);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Breach +01\w{24}\nState +preview\nReason +theft\nTicket +SEC-1\n/);
    expect(stdout).toMatch(/^With a gap +1 of 2: no second account/m);
    expect(stdout).toMatch(/^Estimate +about \d+s, limited by server /m);
    expect(stdout).toMatch(/^1 +one +\S+ +yes +- +password of/m);
    const id = /01\w{24}/.exec(stdout)?.[0] ?? "";
    const confirm = `keyturn confirm-breach ${id} --force --reason theft --ticket SEC-1`;
    expect(stderr).toBe(`Nothing was started. Start it: ${confirm}\n`);
    const shown = await json(`breaches ${id}`, breachSchema);
    expect(shown.answer).toMatchObject({ state: "preview", summary: { targets: 2 } });
    const cancelled = await keyturn(`cancel-breach ${id} --reason mistake`);
    expect(cancelled.stdout).toMatch(/^State +ended$/m);
    const late = await keyturn(`confirm-breach ${id}`);
    expect(late).toMatchObject({ status: 1, stdout: "" });
    expect(late.stderr).toContain("it was cancelled. Make a new preview");
  });

  test("--yes follows it to the end, reports what was not rotated, and ends with 1", async () => {
    const { status, stdout, stderr } = await keyturn("breach two stuck --reason theft --yes");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^State +ended$/m);
    expect(stdout).toMatch(/^Rotated +1$/m);
    expect(stdout).toMatch(/^Failed +1$/m);
    expect(stdout).toMatch(/^\d +stuck +failed +\S+ \S+ /m);
    const id = /01\w{24}/.exec(stdout)?.[0] ?? "";
    expect(stderr).toBe(`The whole report: keyturn breach-report ${id}\n`);
    const report = await keyturn(`breach-report ${id}`);
    expect(report.stdout.split("\n").map((line) => line.split(/ +/).slice(1, 3))).toEqual([
      ...[["TARGET", "STATE"], ["stuck", "failed"], ["two", "rotated"], []],
    ]);
    const failed = await keyturn(`breach-report ${id} --state failed --json`);
    expect(breachTarget.parse(JSON.parse(failed.stdout))).toMatchObject({
      target: "stuck",
      failure: { kind: "change-refused" },
    });
    const none = await keyturn(`breach-report ${id} --state blocked`);
    expect(none).toEqual({ status: 0, stdout: "", stderr: "No target is in this state.\n" });
  });

  test("prints one JSON document: of the preview, or with --yes of the breach at its end", async () => {
    const previewed = await keyturn("breach --owner ada --reason theft --preview --json");
    const { breach } = previewSchema.parse(JSON.parse(previewed.stdout));
    expect(previewed.stderr).toContain(`keyturn confirm-breach ${breach.id}`);
    const end = await json(`confirm-breach ${breach.id} --timeout 90s`, breachSchema);
    expect(end).toMatchObject({ status: 0, answer: { state: "ended", counts: { rotated: 2 } } });
    const again = await json("breach one --reason theft --yes", breachSchema);
    expect(again).toMatchObject({ status: 0, answer: { state: "ended", counts: { rotated: 1 } } });
  });

  test("can be paused, resumed, and followed later", async () => {
    const previewed = await keyturn("breach one two --reason theft --preview --json");
    const { id } = previewSchema.parse(JSON.parse(previewed.stdout)).breach;
    const schema = contentOf(confirmBreach.answers[200]);
    const started = await json(`confirm-breach ${id} --detach --lift-freezes`, schema);
    expect(started.answer).toMatchObject({ confirmed: { by: "function key" }, liftFreezes: true });
    const paused = await keyturn(`pause-breach ${id} --ticket SEC-2`);
    // It may have ended before, and it ends as soon as the rotations that had begun are over.
    expect([0, 1]).toContain(paused.status);
    if (paused.status === 0) expect(paused.stdout).toMatch(/^State +paused$/m);
    const followed = await keyturn(`breaches ${id} --follow --timeout 1s`);
    expect([0, 5]).toContain(followed.status);
    if (followed.status === 5) {
      const resumed = await keyturn(`resume-breach ${id}`);
      expect(resumed.stdout + resumed.stderr).toMatch(/^State +running$|has ended/m);
    }
    expect((await keyturn(`breaches ${id} --follow`)).status).toBe(0);
  });

  test("breaches lists them, newest first, also as JSON Lines", async () => {
    const { stdout } = await keyturn("breaches --limit 2");
    expect(stdout).toMatch(/^BREACH +STATE +MADE \(UTC\) +ROTATED +REASON\n01\w+ +ended .* 2\/2 /);
    const lines = (await keyturn("breaches --json")).stdout.trimEnd().split("\n");
    const schema = contentOf(listBreaches.answers[200]).shape.breaches.unwrap().element;
    expect(lines.map((line) => schema.parse(JSON.parse(line)).state)).toEqual(
      lines.map(() => "ended"),
    );
    expect(lines.length).toBeGreaterThan(3);
  });

  test.each([
    ["breach --reason theft", 2, "Name targets, or give conditions such as --host"],
    ["breach one --host x --reason theft", 2, "but not both"],
    ["breach one", 2, "--reason <text>"],
    ["breach one --reason theft --yes --detach --timeout 5s", 2, "--timeout cannot be combined"],
    ["breach nobody --reason theft --preview", 2, 'There is no target "nobody"'],
    ["breach --host nowhere --reason theft --preview", 2, 'No target has host "nowhere"'],
    ["breach one --reason theft", 2, "Without a terminal nobody is asked. Add --yes"],
    ["breach one --reason theft --json", 2, "With --json nobody is asked. Add --yes"],
    ["breach one --reason theft --preview --yes", 2, "cannot be combined"],
    ["breaches --follow", 2, "--follow needs a breach"],
    [`breaches ${nobody} --timeout 5s`, 2, "--timeout needs --follow"],
    [`breaches ${nobody}`, 3, "`keyturn breaches` lists the breaches"],
    [`breach-report ${nobody}`, 3, "does not exist"],
    [`confirm-breach ${nobody}`, 3, "does not exist"],
    [`cancel-breach ${nobody}`, 3, "does not exist"],
    ["resume-breach x", 2, "The breach id must be a ULID"],
  ])("%s ends with %i: %s", async (line, status, says) => {
    const ended = await keyturn(line);
    expect(ended).toMatchObject({ status, stdout: "" });
    expect(ended.stderr).toContain(says);
  });

  test("prints no secret", () => {
    const { count, leaks } = review([world.database.admin.secret.reveal()]);
    expect(count).toBeGreaterThan(20);
    expect(leaks).toEqual([]);
  });
});
