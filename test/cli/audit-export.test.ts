import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type LoopbackReply, serveOnLoopback } from "../../local/loopback.ts";
import { makeFolder } from "../config/written.ts";
import { runCommand, type RunOptions } from "./run-command.ts";

const line = `${JSON.stringify({ type: "entry", why: "x".repeat(1_000) })}\n`;
const part = (next?: number): LoopbackReply => ({
  status: 200,
  headers: {
    "content-type": "application/jsonl",
    ...(next !== undefined && {
      link: `</api/audit?format=jsonl&segment=${next}>; rel="next"`,
    }),
  },
  text: line.repeat(10),
});

/** Exports from an app that has two parts of 10 entries. */
async function exportParts(options: RunOptions = {}, second: LoopbackReply = part()) {
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler:
      () =>
      ({ query }) =>
        Promise.resolve(query.has("segment") ? second : part(2)),
  });
  onTestFinished(() => server.close());
  const folder = await makeFolder({});
  const file = join(folder, "ledger.jsonl");
  const environment = { KEYTURN_APP: server.url, KEYTURN_KEY: "a-key" };
  const ended = await runCommand(["audit", "--export", file], { environment, ...options });
  return { ...ended, folder, file };
}

test("An export has every part, and is complete when it appears", async () => {
  const { status, stderr, folder, file } = await exportParts();
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: `Wrote 20 entries to ${file}. Check them with: keyturn audit verify ${file}\n`,
  });
  expect(await readFile(file, "utf8")).toBe(line.repeat(20));
  expect(await readdir(folder)).toEqual(["ledger.jsonl"]);
});

test("An export that cannot be written ends with 1, says what to do, and leaves no file", async () => {
  // bash counts in units of 1 KiB.
  const launcher = ["bash", "--norc", "-c", 'ulimit -f 4; exec "$@"', "bash"];
  const { status, stderr, folder, file } = await exportParts({ launcher });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `${file} cannot be written (EFBIG), so nothing was kept of the export. Make room on the disk, or name a file on another one, and export again.\n`,
  });
  expect(await readdir(folder)).toEqual([]);
});

test("An export whose app fails between two parts leaves no file", async () => {
  const { status, stderr, folder } = await exportParts({}, { status: 500 });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The app at \S+ failed \(500\)\. Its log has the error\.\n$/);
  expect(await readdir(folder)).toEqual([]);
});

test("An export succeeds although nobody reads its note", async () => {
  const launcher = ["bash", "--norc", "-c", 'exec "$@" 2> >(exit)', "bash"];
  const { status, file } = await exportParts({ launcher });
  expect(status).toBe(0);
  expect(existsSync(file)).toBe(true);
});
