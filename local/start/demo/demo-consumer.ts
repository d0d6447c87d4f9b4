/**
 * A model application: repeatedly reads its log-in from Key Vault with the official client and uses it. Prints its counts as
 * JSON lines, and ends with the process that started it.
 *
 *     demo-consumer.ts VAULT_URL CONFIG
 */
import "../../host/with-parent.ts";
import { setTimeout as wait } from "node:timers/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import type { OutlinedTarget } from "../../../shared/app.ts";
import type { Counts } from "./consumer-process.ts";
import { readTargets, selectWatched } from "./targets.ts";
import { connectToVault, readPublished } from "./vault.ts";

/** Milliseconds between two log-ins to one database. */
const logInIntervalMs = 200;
const reportIntervalMs = 500;

const [vaultUrl = "", config = ""] = process.argv.slice(2);
const watched = selectWatched((await readTargets(config)).targets, vaultUrl);
const vault = connectToVault(vaultUrl, new ManagedIdentityCredential());
const counts: Record<string, Counts> = {};

type Outcome = "worked" | "unpublished" | { readonly problem: string };

async function tryOnce({ publish, logIn }: OutlinedTarget): Promise<Outcome> {
  try {
    const secret = await readPublished(vault, publish.name);
    if (secret === undefined) return "unpublished";
    const answer = await logIn(secret.value);
    return answer === "accepted"
      ? "worked"
      : { problem: `the server refuses version ${secret.version.slice(0, 8)}` };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "unknown error" };
  }
}

async function use(target: OutlinedTarget, count: Counts): Promise<void> {
  const outcome = await tryOnce(target);
  // Without a published secret, an application cannot log in.
  if (outcome === "unpublished") return;
  count.logIns += 1;
  if (outcome === "worked") return;
  count.failed += 1;
  count.lastProblem = outcome.problem;
  // A careful application reads the secret again, because it may have been replaced after the first read.
  if ((await tryOnce(target)) === "worked") count.recovered += 1;
}

async function keepUsing(target: OutlinedTarget): Promise<void> {
  const count: Counts = { logIns: 0, failed: 0, recovered: 0 };
  counts[target.id] = count;
  for (;;) await Promise.all([use(target, count), wait(logInIntervalMs)]);
}

function report(): void {
  process.stdout.write(`${JSON.stringify({ counts })}\n`);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    report();
    process.exit();
  });
}
process.stdout.on("error", () => process.exit());
setInterval(report, reportIntervalMs);
await Promise.all(watched.map(keepUsing));
