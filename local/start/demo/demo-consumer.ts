/**
 * A model application: repeatedly reads its log-in from Key Vault with the official client and uses it. Prints its counts as
 * JSON lines, and ends with the process that started it.
 *
 *     demo-consumer.ts VAULT_URL CA_FILE             for the seeded targets
 *     demo-consumer.ts VAULT_URL CA_FILE CONFIG      for the targets of a configuration
 */
import "../../host/with-parent.ts";
import { setTimeout as wait } from "node:timers/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { listShownTargets, listWatched, type ShownTarget } from "../console/watched.ts";
import type { Counts } from "./consumer-process.ts";
import { readPublished } from "./vault-access.ts";

/** Milliseconds between two log-ins to one database. */
const logInIntervalMs = 200;
const reportIntervalMs = 500;

const [vaultUrl = "", caFile = "", config] = process.argv.slice(2);
const { targets } = await listShownTargets(config, caFile);
const watched = listWatched(vaultUrl, targets);
const vault = new SecretClient(vaultUrl, new ManagedIdentityCredential(), {
  allowInsecureConnection: true,
  disableChallengeResourceVerification: true,
});
const counts = new Map<string, Counts>(
  watched.map(({ id }) => [id, { logIns: 0, failed: 0, recovered: 0 }]),
);

const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}

type Outcome = "worked" | "unpublished" | { readonly problem: string };

async function tryOnce({ publish, logIn }: ShownTarget): Promise<Outcome> {
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

async function use(target: ShownTarget, count: Counts): Promise<void> {
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

const isStopping = (): boolean => stopping.signal.aborted;

async function keepUsing(target: ShownTarget): Promise<void> {
  const count = counts.get(target.id);
  if (count === undefined) return;
  while (!isStopping()) {
    const next = wait(logInIntervalMs, undefined, { signal: stopping.signal }).catch(
      () => undefined,
    );
    await use(target, count);
    await next;
  }
}

function report(): void {
  process.stdout.write(`${JSON.stringify({ counts: Object.fromEntries(counts) })}\n`);
}

process.stdout.on("error", () => {
  stopping.abort();
});
const reporting = setInterval(report, reportIntervalMs);
await Promise.all(watched.map(keepUsing));
clearInterval(reporting);
report();
