/** Stores the log-in of an account in the local vault, while `npm start` runs: `npm run store -- NAME ACCOUNT`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { openVault } from "./start/demo/vault.ts";
import { environmentShape } from "./start/environment/kept.ts";

const usage = `Usage: npm run store -- NAME ACCOUNT

Stores the log-in of an account as secret NAME in the vault of npm start,
which must run. Prompts for the password, or reads it from standard input.

  --data DIR     folder of the data of npm start (default: .keyturn in the
                 project)`;

interface Arguments {
  readonly name: string;
  readonly username: string;
  readonly data: string;
}

function readArguments(): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { data: { type: "string", default: join(import.meta.dirname, "../.keyturn") } },
      allowPositionals: true,
    });
    const [name, username, ...more] = positionals;
    if (name === undefined || username === undefined || more.length > 0) return undefined;
    return { name, username, data: values.data };
  } catch {
    return undefined;
  }
}

async function readPassword(username: string): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, "");
  process.stderr.write(`Password of ${username}: `);
  // Without an output, the terminal does not show what is typed.
  const terminal = createInterface({ input: process.stdin, terminal: true });
  try {
    return await terminal.question("");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

async function store({ name, username, data }: Arguments): Promise<void> {
  const found = await readFile(join(data, "environment.json"), "utf8").catch(() => undefined);
  if (found === undefined) throw new Error("npm start does not run. Start it first.");
  const places = environmentShape.parse(JSON.parse(found));
  const password = await readPassword(username);
  if (password === "") throw new Error("The password is empty, so nothing was stored.");
  const vault = openVault(places);
  const value = JSON.stringify({ username, password });
  await vault.setSecret(name, value, { contentType: "application/json" });
  console.log(`Stored the log-in of ${username} as secret ${name}.`);
}

const given = readArguments();
if (given === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  await store(given).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
}
