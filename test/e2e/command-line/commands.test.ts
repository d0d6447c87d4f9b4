import type { ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpoints } from "../../../functions/http/document.ts";
import { reportExposure, reportUse } from "../../../functions/schemas/reports.ts";
import { getRotation, requestRotation } from "../../../functions/schemas/rotations.ts";
import { getHealth } from "../../../functions/schemas/service.ts";
import { getTarget, listTargets, target } from "../../../functions/schemas/targets.ts";
import { makeConfig, pair, published, seed, seedPair, single } from "../world/targets.ts";
import { startWorld, type World } from "../world/world.ts";
import { type CommandLine, contentOf, makeCommandLine } from "./run.ts";

const names = ["one", "frozen", "broken"];
const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10);
const freeze = [{ from: "2020-01-01", to: inTwoWeeks, reason: "audit" }];
const once = { attempts: 1, every: "1s", thenEvery: "1h" };

let world: World;
let key: string;
let keyturn: CommandLine["keyturn"];
let json: CommandLine["json"];
let review: CommandLine["review"];

beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const targets = Object.fromEntries(names.map((name) => [name, single(places, name)]));
      const two = pair(places, "two", { tags: { team: "payments", owner: "ada" } });
      const config = makeConfig(places, { ...targets, two });
      const frozen = { match: { target: "frozen" }, every: "90d", freeze };
      const broken = { match: { target: "broken" }, every: "90d", retry: once };
      return { ...config, policies: { default: { every: "90d" }, frozen, broken } };
    },
  });
  for (const name of names) await seed(world, name);
  await seedPair(world, "two");
  await world.start();
  ({ key, keyturn, json, review } = await makeCommandLine(world));
});
afterAll(() => world.close());

const rotationSchema = contentOf(getRotation.answers[200]);
const targetSchema = contentOf(getTarget.answers[200]);
const requestedSchema = contentOf(requestRotation.answers[202]);

describe("keyturn targets", () => {
  test("prints a table for people", async () => {
    const { status, stdout, stderr } = await keyturn("targets");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^TARGET +TYPE +HEALTH +POLICY +NEXT DUE \(UTC\) +STATE$/);
    expect(lines.slice(1).map((line) => line.split(" ")[0])).toEqual([...names, "two"]);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
  });

  test("prints JSON Lines for scripts, which follow the schema, and takes filters", async () => {
    const { stdout } = await keyturn("targets --json");
    const entries = stdout
      .trimEnd()
      .split("\n")
      .map((line) => target.parse(JSON.parse(line)));
    expect(entries.map(({ id }) => id)).toEqual([...names, "two"]);
    expect(listTargets.query.shape).toHaveProperty("dueBefore");
    const filters = ["--owner ada", "--tag team:payments", "--policy default --tag owner:ada"];
    for (const filter of filters) {
      const { stdout: found } = await keyturn(`targets ${filter} --json`);
      expect(found.trimEnd().split("\n")).toHaveLength(1);
    }
    const none = await keyturn("targets --overdue --due-before 2020-01-01 --type mongodb");
    expect(none).toEqual({ status: 0, stdout: "", stderr: "No target matches.\n" });
  });

  test("shows one target", async () => {
    const { stdout } = await keyturn("targets two");
    expect(stdout).toMatch(/^Target +two\nType +postgresql\n/);
    expect(stdout).toMatch(/^Accounts +two_a, two_b \(changed by: admin\)$/m);
    expect((await json("targets two", targetSchema)).answer.id).toBe("two");
  });

  test("ends with 3 for an unknown target, and with 2 for a wrong id", async () => {
    const unknown = await keyturn("targets nobody");
    expect(unknown).toMatchObject({ status: 3, stdout: "" });
    expect(unknown.stderr).toBe(
      'Target "nobody" does not exist. `keyturn targets` lists the targets.\n',
    );
    const wrong = await keyturn("targets No_Body");
    expect(wrong).toMatchObject({ status: 2, stdout: "" });
    expect(wrong.stderr).toContain("The target id must be");
  });
});

describe("keyturn rotate", () => {
  test("requests a rotation, which rotation follows to its end", async () => {
    const { status, answer } = await json("rotate one --idempotency-key k1", requestedSchema);
    expect({ status, target: answer.target }).toEqual({ status: 0, target: "one" });
    const again = await json("rotate one --idempotency-key k1", requestedSchema);
    expect(again.answer.rotation).toBe(answer.rotation);
    const end = await json(`rotation one ${answer.rotation} --follow`, rotationSchema);
    expect(end.status).toBe(0);
    expect(end.answer).toMatchObject({ state: "done", cause: "operator" });
    const newest = await json("rotation one", rotationSchema);
    expect(newest.answer.rotationId).toBe(answer.rotation);
    const people = await keyturn("rotation one");
    expect(people.stdout).toMatch(/^State +done$/m);
    expect(people.stdout).toMatch(/^Phases +staging \d+ms, applying \d/m);
  });

  test("--follow ends with 0 and the rotation when it is done", async () => {
    const line = "rotate two --cause exposure --grace 0s --follow";
    const { status, answer } = await json(line, rotationSchema);
    expect(status).toBe(0);
    expect(answer).toMatchObject({ state: "done", cause: "exposure", targetId: "two" });
    expect((await published(world.secrets, "two")).username).toBe("two_b");
  });

  test("--follow ends with 1 and the failure when the rotation fails", async () => {
    await json("targets broken", targetSchema);
    world.lines.database.cut();
    const { status, stdout } = await keyturn("rotate broken --follow");
    world.lines.database.restore();
    expect(status).toBe(1);
    expect(stdout).toMatch(/^State +failed$/m);
    expect(stdout).toMatch(/^Failure +target-unavailable, /m);
  });

  test("--follow --timeout ends with 5 while the rotation waits, and a freeze can be lifted", async () => {
    const { status, stdout } = await keyturn("rotate frozen --follow --timeout 1s");
    expect(status).toBe(5);
    expect(stdout).toMatch(/^State +queued$/m);
    expect(stdout).toMatch(/^Waits for +.*audit/m);
    expect((await json("rotate frozen", requestedSchema)).answer.joined).toBe(true);
    const lifted = await keyturn("rotate frozen --lift-freeze ticket-42 --follow");
    expect(lifted.status).toBe(0);
    expect(lifted.stdout).toMatch(/^Freeze lifted +by function key: ticket-42$/m);
  });

  test("--not-before schedules a rotation, which explain shows and cancel cancels", async () => {
    const date = new Date(Date.now() + 20 * 86_400_000).toISOString();
    const { answer } = await json(`rotate two --not-before ${date}`, requestedSchema);
    const { rotation } = answer;
    const explained = await keyturn("explain two", { COLUMNS: "200" });
    expect(explained.stdout).toMatch(new RegExp(`^ +run +keyturn cancel two ${rotation}$`, "m"));
    const cancelled = await keyturn(`cancel two ${rotation} --reason stays`);
    expect(cancelled).toMatchObject({ status: 0, stderr: "" });
    expect(cancelled.stdout).toMatch(/^Because +The rotation that function key scheduled for$/m);
    expect((await keyturn(`rotation two ${rotation}`)).stdout).toMatch(/^State +cancelled$/m);
    const again = await keyturn(`cancel two ${rotation}`);
    expect([again.status, again.stdout]).toEqual([1, ""]);
    expect(again.stderr).toContain("was cancelled at");
    const unknown = await keyturn("cancel two 01ARZ3NDEKTSV4RRFFQ69G5FAV");
    expect([unknown.status, unknown.stderr]).toEqual([
      3,
      expect.stringContaining("`keyturn history` lists the rotations."),
    ]);
    expect((await keyturn("cancel two")).status).toBe(2);
  });

  test("Ctrl-C ends following with 130, and the rotation goes on", async () => {
    await keyturn("rotate frozen");
    // Time to load and to begin, also on a busy machine.
    const started = (child: ChildProcess) => setTimeout(() => child.kill("SIGINT"), 10_000);
    const ended = await keyturn("rotation frozen --follow", {}, { started });
    expect(ended).toMatchObject({ status: 130, stdout: "" });
    expect(ended.stderr).toMatch(
      /^Stopped following\. The rotation goes on in the app\. .*keyturn rotation frozen [0-9A-Z]{26}\n$/,
    );
    expect((await json("rotation frozen", rotationSchema)).answer.state).toBe("queued");
  });

  test("rejects wrong options with 2, and a key that was used for another request", async () => {
    const lines = [
      "rotate one --timeout 1s",
      "rotate one --grace soon",
      "rotate",
      "rotate one two",
    ];
    for (const line of [...lines, "rotate one --cause because", "rotate one --idempotency-key é"]) {
      expect([line, (await keyturn(line)).status]).toEqual([line, 2]);
    }
    await keyturn("rotate two --idempotency-key k2");
    const reused = await keyturn("rotate two --cause exposure --idempotency-key k2");
    expect(reused.status).toBe(2);
    expect((await keyturn("rotate nobody")).status).toBe(3);
  });
});

describe("The other commands", () => {
  test("history lists rotations, as a table and as JSON Lines", async () => {
    const { stdout } = await keyturn("history one");
    expect(stdout).toMatch(/^ROTATION +STATE +CAUSE +REQUESTED \(UTC\) +TOOK +NOTE\n/);
    expect(stdout).toMatch(/^[0-9A-Z]{26} +done +operator /m);
    const lines = (await keyturn("history one --all --json")).stdout.trimEnd().split("\n");
    expect(lines.map((line) => rotationSchema.parse(JSON.parse(line)).targetId)).toEqual(["one"]);
    expect((await keyturn("history nobody")).status).toBe(3);
    const unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const missing = await keyturn(`rotation one ${unknown}`);
    expect(missing.status).toBe(3);
    expect(missing.stderr).toContain("`keyturn history` lists the rotations.");
  });

  test("expose and use report, and print what follows", async () => {
    const exposure = contentOf(reportExposure.answers[202]);
    const line = "expose one --by scanner --from ci-log --kind breach --at 2026-01-01";
    expect((await json(line, exposure)).answer.target).toBe("one");
    expect((await keyturn("expose one --by scanner")).stdout).toMatch(/^Counted +\w+$/m);
    expect((await json("use one --by job", contentOf(reportUse.answers[202]))).status).toBe(0);
    expect((await keyturn("use one")).stdout).toMatch(/^Because +.*afterIdle/m);
    expect((await keyturn("expose one")).status).toBe(2);
    expect((await keyturn("use nobody")).status).toBe(3);
    expect((await keyturn("use one --at 2999-01-01")).stderr).toContain(
      "must not be in the future",
    );
  });

  test("alarms, health and openapi answer", async () => {
    expect(await keyturn("alarms --json")).toMatchObject({ status: 0, stderr: "" });
    const up = contentOf(getHealth.answers[200]);
    expect(await json("health", up)).toEqual({ status: 0, answer: { status: "up" } });
    expect((await keyturn("health")).stdout).toBe("up\n");
    const { stdout } = await keyturn("openapi");
    const { paths } = JSON.parse(stdout) as { paths: object };
    expect(Object.values(paths).flatMap((path: object) => Object.keys(path))).toHaveLength(
      Object.keys(endpoints).length,
    );
  });

  test("health ends with 1 while the journal is down", async () => {
    world.lines.table.cut();
    // The app reuses an answer for five seconds.
    await expect
      .poll(async () => (await keyturn("health")).stdout, { timeout: 60_000, interval: 1_000 })
      .toBe("down\n");
    expect((await keyturn("health")).status).toBe(1);
    world.lines.table.restore();
  });

  test("a wrong key ends with 4, and no key with 2", async () => {
    const wrong = await keyturn("targets", { KEYTURN_KEY: "not-the-key" });
    expect(wrong.status).toBe(4);
    expect(wrong.stderr).toMatch(/rejected the function key in KEYTURN_KEY \(401\)/);
    expect((await keyturn("targets", { KEYTURN_KEY: "" })).status).toBe(2);
  });

  test("the local app is found from a folder below the one of its environment.json", async () => {
    const folder = join(world.folder, "project", "below");
    await mkdir(folder, { recursive: true });
    await mkdir(join(world.folder, "project", ".keyturn"));
    const file = join(world.folder, "project", ".keyturn", "environment.json");
    const { url } = world.host();
    await writeFile(file, JSON.stringify({ functions: { url, key } }));
    const nothing = { KEYTURN_APP: "", KEYTURN_KEY: "" };
    const { status, stdout } = await keyturn("targets one --json", nothing, { folder });
    expect(status).toBe(0);
    expect(targetSchema.parse(JSON.parse(stdout)).id).toBe("one");
    await writeFile(file, JSON.stringify({ functions: { url, key: "old" } }));
    const old = await keyturn("targets", nothing, { folder });
    expect(old.status).toBe(4);
    expect(old.stderr).toMatch(/rejected the key in .*environment\.json \(401\)\. Stop npm start/);
  });

  test("--entra signs in with a managed identity, and explains a missing log-in", async () => {
    const line = "targets one --entra https://vault.azure.net/.default --json";
    expect((await keyturn(line, world.identity.env)).status).toBe(0);
    const none = await keyturn("targets --entra", { AZURE_TOKEN_CREDENTIALS: "prod" });
    expect(none.status).toBe(4);
    expect(none.stderr).toMatch(/^No Microsoft Entra token for http:.*\/\.default\. Run az login/);
  });

  test("colours appear only if they are forced, and NO_COLOR turns them off", async () => {
    const escape = "\u001b[";
    expect((await keyturn("targets")).stdout).not.toContain(escape);
    const forced = await keyturn("targets", { FORCE_COLOR: "1" });
    expect(forced.stdout).toContain(`${escape}32mhealthy`);
    expect((await keyturn("targets", { NO_COLOR: "1" })).stdout).not.toContain(escape);
    expect((await keyturn("targets --json", { FORCE_COLOR: "1" })).stdout).not.toContain(escape);
  });
});

test("no output contains the key of the app or a password", async () => {
  const { value = "" } = await world.secrets.getSecret("one-secret");
  const { password } = JSON.parse(value) as { password: string };
  const { count, leaks } = review([password]);
  expect(count).toBeGreaterThan(40);
  expect(leaks).toEqual([]);
});
