import { createPublicKey } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getAuditHead, listAudit } from "../../functions/schemas/audit.ts";
import { chainEntries, newChain, startAfter } from "../../shared/core/ledger/chain.ts";
import { writeEntry } from "../../shared/core/ledger/stored-entry.ts";
import { segmentRow } from "../../shared/stores/table/row-keys.ts";
import { makeTableJournal } from "../../shared/stores/table/table-journal.ts";
import { listBlocks } from "../docs/blocks.ts";
import { type CommandLine, contentOf, makeCommandLine } from "./command-line/run.ts";
import { runBlock } from "./run-block.ts";
import { makeConfig, seed, single } from "./world/targets.ts";
import { everySecond, startWorld, tableName, type World } from "./world/world.ts";

let world: World;
let keyturn: CommandLine["keyturn"];
let json: CommandLine["json"];
let review: CommandLine["review"];
let folder: string;
let rotation: string;

beforeAll(async () => {
  world = await startWorld({
    sweep: everySecond,
    config: (places) => ({
      ...makeConfig(places, { one: single(places, "one"), two: single(places, "two") }),
      ledger: { signWith: { key: "ledger", vault: "main" } },
    }),
  });
  folder = await mkdtemp(join(tmpdir(), "keyturn-audit-"));
  const { key = {} } = await world.keyClient.createEcKey("ledger", { curve: "P-256" });
  const toText = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", x: toText(key.x), y: toText(key.y) };
  const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
  await writeFile(join(folder, "key.pem"), pem);
  for (const name of ["one", "two"]) await seed(world, name);
  await world.start();
  ({ keyturn, json, review } = await makeCommandLine(world));
  const path = await world.api.rotate("one");
  rotation = (await world.api.ended(path)).rotationId;
});
afterAll(() => world.close());

const inFolder = (name: string) => join(folder, name);

async function list(query = "") {
  const { status, text } = await world.api.send("GET", `/api/audit${query}`);
  expect(status).toBe(200);
  return contentOf(listAudit.answers[200]).parse(JSON.parse(text)).entries;
}

/** Waits until the newest head is signed, which the next sweep does. */
async function signedHead() {
  return expect
    .poll(
      async () => {
        const { text } = await world.api.send("GET", "/api/audit/head");
        return JSON.parse(text) as object;
      },
      { timeout: 30_000 },
    )
    .toHaveProperty("signature");
}

test("A rotation is in the ledger at once, with who requested it and how it ended", async () => {
  const about = await list(`?rotation=${rotation}`);
  expect(about).toMatchObject([
    { action: "rotation.end", outcome: "succeeded", by: "function key", targets: ["one"] },
    { action: "rotation.request", outcome: "accepted", by: "function key", cause: "operator" },
  ]);
  // The sweep adopts the other target.
  await expect
    .poll(() => list("?action=credential.adopt&target=two"), { timeout: 30_000 })
    .toMatchObject([{ by: "keyturn", outcome: "succeeded" }]);
});

test("A refused write is in the ledger, and shows nothing that the caller sent", async () => {
  const secret = "hunter2-in-the-wrong-field";
  const refused = [
    ["/api/targets/nobody/rotations", {}, 404],
    ["/api/targets/one/pause", { reason: secret, until: "2020-01-01" }, 400],
    ["/api/targets/one/rotations", { [secret]: secret }, 400],
  ] as const;
  for (const [path, body, status] of refused) {
    expect((await world.api.post(path, body)).status).toBe(status);
  }
  const entries = await list("?outcome=refused");
  expect(entries).toMatchObject([
    { action: "rotation.request", detail: "Invalid request", targets: ["one"] },
    { action: "target.pause", detail: "Invalid request" },
    { action: "rotation.request", detail: "Target not found", targets: ["nobody"] },
  ]);
  expect(JSON.stringify(entries)).not.toContain(secret);
});

test("Pages and filters lead to every entry", async () => {
  const all = await list("?limit=100");
  const seen: number[] = [];
  let path: string | undefined = "/api/audit?limit=2";
  while (path !== undefined) {
    const { text } = await world.api.send("GET", path);
    const page = contentOf(listAudit.answers[200]).parse(JSON.parse(text));
    seen.push(...page.entries.map(({ sequence }) => sequence));
    path = page.next;
  }
  expect(seen).toEqual(all.map(({ sequence }) => sequence));
  expect(seen.at(-1)).toBe(1);
});

test.each([
  ["?format=jsonl&target=one", "an export contains every entry"],
  ["?segment=1", "only for `format=jsonl`"],
  ["?action=rotate", "Unknown value of `action`"],
  ["?since=yesterday", "`since` must be a day or a time"],
  ["?cursor=abc", "`cursor` must come from"],
])("A query %s is refused", async (query, sentence) => {
  const { status, text } = await world.api.send("GET", `/api/audit${query}`);
  expect(status).toBe(400);
  expect(text).toContain(sentence);
});

describe("keyturn audit", () => {
  test("prints a table for people and JSON Lines for scripts", async () => {
    const { stdout, status } = await keyturn("audit --target one");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^NO +AT \(UTC\) +BY +ACTION +OUTCOME +TARGET +WHY$/m);
    expect(stdout).toMatch(/rotation\.end +succeeded +one/);
    const lines = (await keyturn(`audit --rotation ${rotation} --json`)).stdout
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(2);
    const none = await keyturn("audit --by nobody");
    expect(none).toMatchObject({ status: 0, stdout: "", stderr: "No entry matches.\n" });
  });

  test("the commands of the how-to page run as written, one after the other", async () => {
    await signedHead();
    const place = await mkdtemp(join(tmpdir(), "keyturn-how-to-"));
    await cp(inFolder("key.pem"), join(place, "ledger-key.pem"));
    const { default: KEYTURN_KEY } = await world.keys();
    const environment = { KEYTURN_APP: world.host().url, KEYTURN_KEY };
    const blocks = listBlocks("docs/how-to/verify-the-ledger.md");
    const shell = blocks.filter(({ language, needs }) => language === "sh" && needs === undefined);
    let said = "";
    for (const { text } of shell) {
      // Readers use their own quarter.
      const written = text.replace(/--since \S+ --until \S+/, "--since 2020-01-01");
      const { status, output } = await runBlock(written, { folder: place, environment });
      expect(status, output).toBe(0);
      said += output;
    }
    expect(said).toContain("The given head matches");
    expect((await readdir(place)).sort()).toEqual(
      ["head-2026-11-27.json", "ledger-key.pem", "ledger.jsonl", "quarter.jsonl"].sort(),
    );
    await rm(place, { recursive: true });
  });

  test("exports a file that verifies with the head and the key, and finds each change of it", async () => {
    await signedHead();
    // Before the export, which may have more entries.
    const { answer } = await json("audit head", contentOf(getAuditHead.answers[200]));
    await writeFile(inFolder("head.json"), JSON.stringify(answer));
    const file = inFolder("ledger.jsonl");
    const exported = await keyturn(`audit --export ${file}`);
    expect(exported).toMatchObject({ status: 0, stdout: "" });
    expect(exported.stderr).toMatch(/^Wrote \d+ entries to /);
    const evidence = `--head ${inFolder("head.json")} --key ${inFolder("key.pem")}`;

    const good = await keyturn(`audit verify ${file} ${evidence}`);
    expect(good).toMatchObject({ status: 0, stderr: "" });
    expect(good.stdout).toContain("none removed, altered or reordered.");
    expect(good.stdout).toMatch(/\d+ signatures are valid and cover everything up to entry \d+\./);
    expect(good.stdout).toContain("The given head matches");
    const alone = await keyturn(`audit verify ${file}`);
    expect(alone.stdout).toMatch(/Without a head \(--head\), a removed tail cannot be noticed\./);
    expect(alone.stdout).toContain("signatures were not checked");

    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const write = async (changed: readonly string[]) => {
      await writeFile(inFolder("changed.jsonl"), changed.join("\n"));
      return keyturn(`audit verify ${inFolder("changed.jsonl")} ${evidence}`);
    };
    const removed = await write(lines.toSpliced(1, 1));
    expect(removed.status).toBe(1);
    expect(removed.stdout).toContain("Entry 1 was removed: ");
    const altered = await write(lines.with(1, (lines[1] ?? "").replace('"by":"', '"by":"x')));
    expect(altered.stdout).toContain("Entry 1 was altered");
    const cut = await write(lines.slice(0, lines.findIndex((line) => line.includes('"head"')) + 1));
    expect(cut.status).toBe(1);
    expect(cut.stdout).toContain("removed from the end: the given head names entry");
    const report = await keyturn(`audit verify ${inFolder("changed.jsonl")} ${evidence} --json`);
    expect(JSON.parse(report.stdout)).toMatchObject({ valid: false, problem: { kind: "tail" } });
  });

  test("explains a wrong command line, and never overwrites a file", async () => {
    const wrong: readonly (readonly [line: string, sentence: string])[] = [
      ["audit verify", "Name the file to verify"],
      ["audit verify no-such-file", "no-such-file cannot be read."],
      [
        `audit verify ${inFolder("ledger.jsonl")} --head ${inFolder("key.pem")}`,
        "--head must be a file with a head",
      ],
      [
        `audit verify ${inFolder("ledger.jsonl")} --key ${inFolder("head.json")}`,
        "--key must be a file with one or several public keys",
      ],
      ["audit head ledger.jsonl", "`audit head` takes no file"],
      ["audit --head x", "--head has no effect on `audit list`"],
      [
        `audit --export ${inFolder("new.jsonl")} --target one`,
        "--target has no effect on an export",
      ],
      [`audit --export ${inFolder("ledger.jsonl")}`, "exists already"],
      [`audit --export ${inFolder("no/such/folder.jsonl")}`, "cannot be written"],
    ];
    for (const [line, sentence] of wrong) {
      const { status, stdout, stderr } = await keyturn(line);
      expect({
        line,
        status,
        stdout,
        found: stderr.includes(sentence) ? sentence : stderr,
      }).toEqual({ line, status: 2, stdout: "", found: sentence });
    }
  });
});

describe("somebody who can write to the table", () => {
  const client = () =>
    TableClient.fromConnectionString(world.storage, tableName, { allowInsecureConnection: true });
  const update = (segment: number, position: number, columns: object) => {
    const row = { partitionKey: "ledger", rowKey: segmentRow(segment, position), ...columns };
    return client().updateEntity(row, "Merge");
  };
  const exportTo = async (name: string) => {
    const { status, stderr } = await keyturn(`audit --export ${inFolder(name)}`);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    return `audit verify ${inFolder(name)}`;
  };

  test("cannot change an entry unnoticed", async () => {
    const row = await client().getEntity("ledger", segmentRow(1, 1));
    const entry = String(row["entry"]);
    await update(1, 1, { entry: entry.replace(/"by":"[^"]*"/, '"by":"mallory"') });
    const { stdout } = await keyturn(await exportTo("changed-row.jsonl"));
    expect(stdout).toContain("Entry 1 was altered: its content does not match its hash");
    await update(1, 1, { entry });
  });

  test("can compute the whole chain again, but cannot sign it", async () => {
    await signedHead();
    const { ledger } = makeTableJournal({ connectionString: world.storage }, tableName);
    const head = await ledger.latest();
    let start = newChain;
    for (const { entries, head: was } of await ledger.segments(1, head?.segment ?? 0)) {
      const forged = entries.map(({ entry }) => ({ ...entry, by: "mallory" }));
      const [made] = chainEntries(start, forged, was.at);
      if (!made) throw new Error("a segment without entries");
      start = startAfter(made.head);
      await update(was.segment, 0, { hash: made.head.hash });
      for (const [index, { entry, hash, previous }] of made.entries.entries()) {
        await update(was.segment, index + 1, { entry: writeEntry(entry), hash, previous });
      }
    }
    const verify = await exportTo("forged.jsonl");
    expect((await keyturn(verify)).status).toBe(0);
    const withKey = await keyturn(`${verify} --key ${inFolder("key.pem")}`);
    expect(withKey.status).toBe(1);
    expect(withKey.stdout).toContain("is not valid for the given key");
    const withHead = await keyturn(`${verify} --head ${inFolder("head.json")}`);
    expect(withHead.status).toBe(1);
    expect(withHead.stdout).toContain("the hash differs from the given head");
  });

  test("cannot make the app sign the chain that they computed again", async () => {
    const alarms = async () => (await world.api.send("GET", "/api/alarms")).text;
    await expect
      .poll(alarms, { timeout: 30_000 })
      .toContain("The ledger was changed: it does not continue from entry");
    const key = await world.keyClient.getKey("ledger");
    await world.api.ended(await world.api.rotate("one"));
    await list();
    const { text } = await world.api.send("GET", "/api/audit/head");
    expect(text).not.toContain('"signature"');
    const { properties } = await world.keyClient.getKey("ledger");
    expect(properties.tags).toEqual({
      "keyturn-last-head": expect.stringContaining('"sequence"') as string,
    });
    expect(properties.tags).toEqual(key.properties.tags);
  });
});

test("No command printed a secret", () => {
  expect(review([])).toMatchObject({ leaks: [] });
});
