/**
 * An application as it should be: reads its log-in from Key Vault with the official client and uses it, again and again.
 * Prints its counts as JSON lines, and ends with the process that started it.
 *
 *     consumer.ts VAULT_URL CA_FILE SECRET…
 */
import "../host/with-parent.ts";
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import type { Counts } from "./counts.ts";
import { logsIn } from "./log-in.ts";
import { readPublished } from "./vault-access.ts";

/** Milliseconds between two log-ins to one database. */
const distance = 200;
const reportEvery = 500;

const [vaultUrl = "", caFile = "", ...secrets] = process.argv.slice(2);
const ca = await readFile(caFile, "utf8");
const vault = new SecretClient(vaultUrl, new ManagedIdentityCredential(), {
  allowInsecureConnection: true,
  disableChallengeResourceVerification: true,
});
const counts = new Map<string, Counts>(
  secrets.map((secret) => [secret, { logIns: 0, failed: 0, recovered: 0 }]),
);

const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}

/** Undefined when it worked; otherwise why not. */
async function tryOnce(secret: string): Promise<string | undefined> {
  try {
    const credential = await readPublished(vault, secret);
    const answer = await logsIn(credential, ca);
    return answer === "accepted" ? undefined : `the server refuses ${credential.username}`;
  } catch (error) {
    return error instanceof Error ? error.message : "no reason";
  }
}

async function use(secret: string, count: Counts): Promise<void> {
  count.logIns += 1;
  const problem = await tryOnce(secret);
  if (problem === undefined) return;
  count.failed += 1;
  count.lastProblem = problem;
  // What a careful application does: the password may have been replaced since it was read.
  if ((await tryOnce(secret)) === undefined) count.recovered += 1;
}

const isStopping = (): boolean => stopping.signal.aborted;

async function keepUsing(secret: string, count: Counts): Promise<void> {
  while (!isStopping()) {
    const next = wait(distance, undefined, { signal: stopping.signal }).catch(() => undefined);
    await use(secret, count);
    await next;
  }
}

function report(): void {
  process.stdout.write(`${JSON.stringify({ counts: Object.fromEntries(counts) })}\n`);
}

process.stdout.on("error", () => {
  stopping.abort();
});
const reporting = setInterval(report, reportEvery);
await Promise.all([...counts].map(([secret, count]) => keepUsing(secret, count)));
clearInterval(reporting);
report();
