import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../config/written.ts";
import { keyPair, makeEntry, makeSegments, signAll, toExport } from "../core/ledger/exports.ts";
import { runCommand } from "./run-command.ts";

const { publicKey, privateKey } = keyPair();
const segments = makeSegments([[makeEntry("1"), makeEntry("2", { by: "mallory" })]]);

async function verify(lines: readonly string[]) {
  const folder = await makeFolder({});
  const [file, key] = [join(folder, "ledger.jsonl"), join(folder, "key.pem")];
  await writeFile(file, lines.join("\n"));
  await writeFile(key, publicKey.export({ type: "spki", format: "pem" }));
  const { status, stdout } = await runCommand(["audit", "verify", file, "--key", key]);
  return { status, stdout: stdout.replaceAll(file, "FILE") };
}

test("With a key, a file without any signature is not valid", async () => {
  expect(await verify(toExport(segments))).toEqual({
    status: 1,
    stdout:
      "FILE is not valid: No head is signed, so the key proves nothing about entries 1 to 2: the signatures were removed, or the app has not signed yet.\n" +
      "In the file, entries 1 to 2 follow each other.\n",
  });
  const signed = await verify(toExport(signAll(segments, privateKey)));
  expect(signed.status).toBe(0);
  expect(signed.stdout).toContain("1 signatures are valid and cover everything up to entry 2.");
});
