/**
 * A model application: repeatedly reads its log-in from Key Vault with the official client and uses it. Prints its counts as
 * JSON lines, and ends with the process that started it. It also answers questions, one on each line of standard input.
 *
 *     demo-consumer.ts VAULT_URL CONFIG
 */
import "../../host/with-parent.ts";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import type { OutlinedTarget } from "../../../shared/app.ts";
import { type Answer, type Counts, questionShape } from "./consumer-process.ts";
import { readTargets, selectWatched } from "./targets.ts";
import { connectToVault, readPublished } from "./vault.ts";

/** Milliseconds between two log-ins to one target, at least. */
const logInIntervalMs = 200;
/** A log-in that takes long is made less often: the consumer must not take the processor from what it watches. */
const restPerLogIn = 4;
const reportIntervalMs = 500;

const [vaultUrl = "", config = ""] = process.argv.slice(2);
const { targets } = await readTargets(config);
const watched = selectWatched(targets, vaultUrl);
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
  for (;;) {
    const start = performance.now();
    await use(target, count);
    const took = performance.now() - start;
    await wait(Math.max(logInIntervalMs - took, restPerLogIn * took));
  }
}

function print(line: { readonly counts: typeof counts } | { readonly answer: Answer }): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const report = (): void => {
  print({ counts });
};

async function answerQuestion(line: string): Promise<void> {
  const { number, target: id, value } = questionShape.parse(JSON.parse(line));
  const target = targets.find((one) => one.id === id);
  const answer = await target?.logIn(value).then(
    (is) => ({ number, is }),
    (error: unknown) => ({
      ...{ number, is: "failed" as const },
      problem: error instanceof Error ? error.message : "unknown error",
    }),
  );
  if (answer !== undefined) print({ answer });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    report();
    process.exit();
  });
}
process.stdout.on("error", () => process.exit());
setInterval(report, reportIntervalMs);
createInterface(process.stdin).on("line", (line) => void answerQuestion(line));
await Promise.all(watched.map(keepUsing));
