import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { getRotation, requestRotation } from "../../../functions/schemas/rotations.ts";
import { unblock } from "../../../functions/schemas/undos.ts";
import { makeConfig, own, pair, published, seed, seedPair, single } from "../world/targets.ts";
import { asJson, newPassword, startWorld, type World } from "../world/world.ts";
import { type CommandLine, contentOf, makeCommandLine } from "./run.ts";

let world: World;
let keyturn: CommandLine["keyturn"];
let json: CommandLine["json"];
let review: CommandLine["review"];

beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        one: single(places, "one"),
        stuck: own(places, "stuck"),
        two: pair(places, "two"),
      }),
  });
  for (const name of ["one", "stuck"]) await seed(world, name);
  await seedPair(world, "two");
  await world.start();
  ({ keyturn, json, review } = await makeCommandLine(world));
  for (const name of ["one", "stuck", "two"]) await world.api.ended(await world.api.rotate(name));
});
afterAll(() => world.close());

const rotationSchema = contentOf(getRotation.answers[200]);
const imported: string[] = [];

/** Runs a command that reads a password from standard input. */
function withInput(line: string, input: string) {
  imported.push(input.trim());
  return keyturn(line, {}, { input });
}

test("keyturn import reads the password from standard input, without the line break at its end", async () => {
  const value = newPassword();
  const ended = await withInput("import one --follow --timeout 1m --json", `${value}\n`);
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  expect(rotationSchema.parse(JSON.parse(ended.stdout))).toMatchObject({
    state: "done",
    cause: "import",
  });
  expect((await published(world.secrets, "one")).password).toBe(value);
});

test("keyturn import reads the password from a file, and shows that the target had it already", async () => {
  const value = newPassword();
  imported.push(value);
  const file = join(world.folder, "issued.txt");
  await writeFile(file, `${value}\r\n`);
  await world.database.account("one", value);
  const { status, stdout } = await keyturn(`import one --file ${file} --never-apply --follow`);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Already set +yes: the target had the password before$/m);
  expect((await published(world.secrets, "one")).password).toBe(value);
});

test("keyturn import refuses what is not a password, and a file that does not exist", async () => {
  expect(await withInput("import one", "\n")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("The password is empty.") as string,
  });
  const missing = await keyturn("import one --file no-such-file.txt");
  expect(missing.status).toBe(2);
  expect(missing.stderr).toContain("no-such-file.txt cannot be read (ENOENT)");
  const short = await withInput("import one", "brief-1");
  expect(short.status).toBe(2);
  expect(short.stderr).toContain("at least 8 characters");
  expect(short.stderr).not.toContain("brief-1");
});

test("keyturn undo publishes the previous password again, and says why it cannot", async () => {
  const before = await published(world.secrets, "two");
  const { status, answer } = await json("undo two --follow --timeout 1m", rotationSchema);
  expect({ status, answer }).toMatchObject({ status: 0, answer: { state: "done", cause: "undo" } });
  expect((await published(world.secrets, "two")).username).not.toBe(before.username);
  const requested = await json(
    "undo two --reason mistaken",
    contentOf(requestRotation.answers[202]),
  );
  expect(requested.answer.why).toContain("cause: undo; reason: mistaken");
  await world.api.ended(requested.answer.status);
  await keyturn("expose two --by ben");
  await keyturn("rotate two --follow --timeout 1m");
  const refused = await keyturn("undo two");
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("reported as exposed");
});

test("keyturn unblock proves a version before the target continues", async () => {
  const lost = newPassword();
  await world.database.account("stuck", lost);
  expect((await keyturn("rotate stuck --follow --timeout 1m")).status).toBe(1);
  expect((await keyturn("unblock stuck")).stderr).toContain("--version or --try-again");
  expect((await keyturn("unblock stuck --try-again --version 0")).status).toBe(2);
  const wrong = await keyturn(`unblock stuck --version ${"0".repeat(32)}`);
  expect(wrong.status).toBe(1);
  expect(wrong.stderr).toContain("No readable version");
  await world.store("stuck-secret", asJson("stuck", lost));
  const { version } = await published(world.secrets, "stuck");
  const { status, answer } = await json(
    `unblock stuck --version ${version}`,
    contentOf(unblock.answers[200]),
  );
  expect({ status, answer }).toMatchObject({ status: 0, answer: { account: "stuck" } });
  const followed = await keyturn(`rotation stuck ${answer.rotation ?? ""} --follow --timeout 1m`);
  expect(followed.status).toBe(0);
  const again = await keyturn("unblock stuck --try-again");
  expect(again).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("is not blocked") as string,
  });
});

test("keyturn rotate --not-before schedules a rotation, which the target shows", async () => {
  const day = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const { stdout } = await keyturn(`rotate one --not-before ${day}`);
  expect(stdout).toMatch(new RegExp(`^Waits until +${day} 00:00 UTC`, "m"));
  expect((await keyturn("targets one")).stdout).toMatch(
    new RegExp(`^Scheduled +\\S+ for ${day} 00:00 UTC`, "m"),
  );
  expect((await keyturn("rotate one --not-before soon")).status).toBe(2);
});

test("no command printed the key or an imported password", () => {
  const { count, leaks } = review(imported.filter((value) => value.length >= 12));
  expect(count).toBeGreaterThan(10);
  expect(leaks).toEqual([]);
});
