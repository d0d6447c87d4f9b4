import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { scripts, shells } from "../../cli/completion/scripts.ts";
import { files, suggest } from "../../cli/completion/suggest.ts";
import { makeProgram } from "../../cli/program.ts";
import { serveOnLoopback } from "../../local/loopback.ts";
import { program, runCommand } from "./run-command.ts";

const freeze = "01M8DN458WR7MW66ZTVCCEXGYW";
const breach = "01M8DN458WR7MW66ZTVCCEXGYX";
const rotation = "01M8DN458WR7MW66ZTVCCEXGYZ";
const finders = {
  target: () =>
    Promise.resolve([
      { value: "orders-db", description: "postgresql" },
      { value: "mails", description: "mongodb" },
    ]),
  rotation: (_words: readonly string[], [target]: readonly string[]) =>
    Promise.resolve(target === "orders-db" ? [{ value: rotation, description: "queued" }] : []),
  freeze: () => Promise.resolve([{ value: freeze, description: "audit" }]),
  breach: () => Promise.resolve([{ value: breach, description: "running, theft" }]),
};

async function suggestions(...words: string[]): Promise<string[]> {
  const found = await suggest(makeProgram(), words, finders);
  return found.map(({ value }) => value);
}

test("commands are completed, also after help", async () => {
  expect(await suggestions("ro")).toEqual(["rotation", "rotate"]);
  expect(await suggestions("help", "hi")).toEqual(["history"]);
  expect(await suggestions("")).toContain("targets");
  expect(await suggestions("")).not.toContain("complete-words");
});

test("options are completed, without those that are given", async () => {
  expect(await suggestions("rotate", "orders-db", "--fo")).toEqual(["--force", "--follow"]);
  expect(await suggestions("rotate", "--follow", "--fo")).toEqual(["--force"]);
});

test("values of an option are completed, also after an equals sign", async () => {
  expect(await suggestions("targets", "--health", "")).toContain("failing");
  expect(await suggestions("targets", "--health", "=", "fa")).toEqual(["failing"]);
  expect(await suggestions("targets", "--health", "=")).toContain("failing");
  expect(await suggestions("targets", "--owner", "")).toEqual([]);
  expect(await suggestions("completion", "z")).toEqual(["zsh"]);
});

test("the shell completes the names of files", async () => {
  expect(await suggestions("plan", "--config", "keyt")).toEqual([files.value]);
  expect(await suggestions("import", "orders-db", "--file", "")).toEqual([files.value]);
  expect(await suggestions("audit", "verify", "ledg")).toEqual([files.value]);
});

test("values that are files have one name, by which they are completed", () => {
  const named = makeProgram().commands.flatMap(({ options, registeredArguments }) => [
    ...options.map(({ flags }) => flags),
    ...registeredArguments.map((argument) => argument.name()),
  ]);
  expect(named.filter((name) => /path|folder/i.test(name))).toEqual([]);
});

test("ids of targets are completed in their place", async () => {
  expect(await suggestions("rotate", "or")).toEqual(["orders-db"]);
  expect(await suggestions("rotate", "--reason", "exposure", "m")).toEqual(["mails"]);
  expect(await suggestions("rotate", "orders-db", "")).toEqual([]);
  for (const many of ["freeze", "pause", "resume"]) {
    expect(await suggestions(many, "orders-db", "m")).toEqual(["mails"]);
  }
});

test("ids of freezes are completed in their place", async () => {
  expect(await suggestions("end-freeze", "")).toEqual([freeze]);
  expect(await suggestions("freezes", "01")).toEqual([freeze]);
  expect(await suggestions("end-freeze", freeze, "")).toEqual([]);
});

test("ids of breaches are completed in their place", async () => {
  for (const one of ["breaches", "breach-report", "confirm-breach", "pause-breach"]) {
    expect(await suggestions(one, "")).toEqual([breach]);
  }
  expect(await suggestions("breach", "or")).toEqual(["orders-db"]);
});

test("ids of rotations are completed after the target, which the search gets", async () => {
  expect(await suggestions("cancel", "--reason", "eva stays", "orders-db", "")).toEqual([rotation]);
  expect(await suggestions("rotation", "mails", "01")).toEqual([]);
});

test("a line is a value, or a value and a description behind a tab", async () => {
  const lines = async (...words: string[]) =>
    (await runCommand(["complete-words", "--", ...words])).stdout;
  expect(await lines("check", "--config", "")).toBe(":files\n");
  expect(await lines("targets", "--health", "fa")).toBe("failing\n");
  expect(await lines("us")).toBe("use\treport that the secret was used\n");
});

const commands = { bash: ["--norc", "-n"], zsh: ["-n"], fish: ["--no-execute"] };

test.each(shells)("the script for %s has valid syntax, if the shell is installed", (shell) => {
  const { error, status, stderr } = spawnSync(shell, commands[shell], {
    input: scripts[shell],
    encoding: "utf8",
  });
  if (error !== undefined && shell !== "bash") return;
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("bash completes ids of targets, freezes and rotations of the app that the environment names", async () => {
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler: () => () =>
      Promise.resolve({
        status: 200,
        json: {
          targets: [{ id: "orders-db", type: "postgresql", health: "healthy" }],
          freezes: [
            { id: freeze, state: "in force", reason: "audit" },
            { id: "01ENDED", state: "ended", reason: "holidays" },
          ],
          scheduled: [{ rotation, notBefore: "2027-01-04T00:00:00.000Z", requestedBy: "ada" }],
        },
      }),
  });
  const script = `keyturn() { '${process.execPath}' '${program}' "$@"; }
${scripts.bash}
COMP_WORDS=(keyturn rotate ord); COMP_CWORD=2; _keyturn; echo "\${COMPREPLY[@]}"
COMP_WORDS=(keyturn end-freeze ''); COMP_CWORD=2; _keyturn; echo "\${COMPREPLY[@]}"
COMP_WORDS=(keyturn cancel orders-db ''); COMP_CWORD=3; _keyturn; echo "\${COMPREPLY[@]}"
COMP_WORDS=(keyturn rotate '$(echo evil >&2)'); COMP_CWORD=2; _keyturn; echo "\${COMPREPLY[@]}"
COMP_WORDS=(keyturn check --config pack); COMP_CWORD=3; _keyturn; echo "\${COMPREPLY[@]}"`;
  const env = { PATH: process.env["PATH"], KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" };
  const bash = spawn("bash", ["--norc", "-c", script], { env });
  const [stdout, stderr] = await Promise.all([text(bash.stdout), text(bash.stderr)]);
  await server.close();
  expect(stderr).toBe("");
  expect(stdout).toBe(`orders-db\n${freeze}\n${rotation}\n\npackage-lock.json package.json\n`);
});
