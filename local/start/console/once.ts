import { setTimeout as wait } from "node:timers/promises";
import type { Environment } from "../../environment.ts";
import type { ShownTarget } from "../demo/targets.ts";
import { type PublishedSecret, readPublished } from "../demo/vault.ts";
import { type Api, makeApi, type RotationView, type TargetView } from "./api.ts";
import { formatDuration, shortenVersion } from "./lines.ts";
import { shortenAccount } from "./words.ts";

/** Seconds. On an idle machine each step takes a few. */
const adoptionTimeout = 60;
const rotationTimeout = 180;
const proofTimeout = 60;

interface Outcome {
  readonly target: TargetView;
  /** Absent when the API gave no answer about it. */
  readonly rotation?: RotationView;
  /** Why the rotation did not succeed; absent when it did. */
  readonly problem?: string;
}

export interface Report {
  /** The rows of a table; the first one is the heading. */
  readonly rows: readonly (readonly string[])[];
  /** One sentence for each target that was not rotated or whose new secret was not proven. */
  readonly problems: readonly string[];
  /** Says what the run proved; true only when `problems` is empty. */
  readonly proven: string;
}

/** Rotates every configured target once and proves the result. Throws when the rotations cannot start. */
export async function rotateOnce(env: Environment, signal: AbortSignal): Promise<Report> {
  const api = makeApi(env.places().functions);
  const targets = await waitForAdoption(api, signal);
  const before = new Map<string, PublishedSecret | undefined>();
  for (const { id, publish } of env.watched) {
    before.set(id, await readPublished(env.vault, publish.name));
  }
  const outcomes = await Promise.all(targets.map((target) => rotate(api, target, signal)));
  const problems = outcomes.flatMap(({ problem }) => problem ?? []);
  for (const one of env.watched) {
    if (!outcomes.some(({ target, problem }) => target.id === one.id && !problem)) continue;
    await prove(env, one, before.get(one.id), signal).catch((error: unknown) => {
      problems.push(describeReason(error, signal));
    });
  }
  const heading = ["target", "accounts", "version", "took", "log-ins", "failed"];
  const rows = [heading, ...outcomes.map((outcome) => formatRow(outcome, env))];
  return { rows, problems, proven: describeProof(env) };
}

function describeProof({ watched, targets }: Environment): string {
  const untried = targets.filter((target) => !watched.includes(target)).map(({ id }) => id);
  if (untried.length > 0) {
    return `Every new secret logs in. Not tested, because their secrets are in another vault: ${untried.join(", ")}.`;
  }
  return watched.every(({ endsSoon }) => endsSoon)
    ? "Every new secret logs in, and every superseded secret is refused."
    : "Every new secret logs in. Where two may be valid, the superseded one stays valid for its grace period.";
}

/** Waits until Keyturn has adopted every target. */
function waitForAdoption(api: Api, signal: AbortSignal): Promise<TargetView[]> {
  let missing: TargetView | undefined;
  const ask = async () => {
    const targets = await api.targets();
    const blocked = targets.find(({ health }) => health === "blocked");
    if (blocked) {
      throw new Error(`Target ${blocked.id} is blocked: ${blocked.lastFailure?.message ?? ""}`);
    }
    missing = targets.find(({ health, published }) => health !== "healthy" && !published);
    return missing ? undefined : targets;
  };
  const otherwise = () => {
    const why = missing?.lastFailure?.message ?? "no worker has checked the target yet";
    return `Waiting for the adoption of target ${missing?.id ?? ""} timed out after ${adoptionTimeout} s. Last error: ${why}`;
  };
  return waitUntil(ask, { seconds: adoptionTimeout, otherwise, signal });
}

async function rotate(api: Api, target: TargetView, signal: AbortSignal): Promise<Outcome> {
  try {
    const id = await api.rotate(target.id);
    const rotation = await waitForEnd(api, target.id, id, signal);
    const { state, failure } = rotation;
    if (state === "done") return { target, rotation };
    const what = state === "blocked" ? "is blocked" : "was not rotated";
    const problem = `Target ${target.id} ${what}: ${failure?.message ?? "no reason given"}`;
    return { target, rotation, problem };
  } catch (error) {
    return { target, problem: describeReason(error, signal) };
  }
}

function waitForEnd(api: Api, target: string, id: string, signal: AbortSignal) {
  let last: RotationView | undefined;
  const ask = async () => {
    last = await api.rotation(target, id);
    return last.state === "queued" || last.state === "running" ? undefined : last;
  };
  const otherwise = () => {
    const why = last?.failure?.message ?? "no reason given";
    return `Waiting for the rotation of target ${target} timed out after ${rotationTimeout} s. Last error: ${why}`;
  };
  return waitUntil(ask, { seconds: rotationTimeout, otherwise, signal });
}

/** Describes an error. Throws the signal's reason instead after a request to stop, which is not a problem. */
function describeReason(error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  return error instanceof Error ? error.message : String(error);
}

/** Proves, without the app, that the new secret logs in and that the superseded one is refused. */
async function prove(
  env: Environment,
  target: ShownTarget,
  before: PublishedSecret | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { id, publish, endsSoon } = target;
  const after = await readPublished(env.vault, publish.name);
  if (after === undefined || before?.version === after.version) {
    throw new Error(`Secret ${publish.name} of target ${id} has no new version.`);
  }
  if ((await env.logIn(id, after.value)) === "rejected") {
    throw new Error(`The server refuses the published secret of target ${id}.`);
  }
  if (before !== undefined && endsSoon) {
    const isRefused = async () => (await env.logIn(id, before.value)) === "rejected" || undefined;
    const otherwise = () => `The superseded secret of target ${id} still logs in.`;
    await waitUntil(isRefused, { seconds: proofTimeout, otherwise, signal });
  }
  await requireWorkingConsumer(env, target, signal);
}

async function requireWorkingConsumer(
  env: Environment,
  { id, keepsSuperseded }: ShownTarget,
  signal: AbortSignal,
): Promise<void> {
  const countLogIns = () => env.counts()[id]?.logIns ?? 0;
  const start = countLogIns();
  const isUsedAgain = () => Promise.resolve(countLogIns() > start + 1 || undefined);
  const otherwise = () => `The consumer stopped logging in to target ${id}.`;
  await waitUntil(isUsedAgain, { seconds: proofTimeout, otherwise, signal });
  const { failed = 0, lastProblem = "" } = env.counts()[id] ?? {};
  if (keepsSuperseded && failed > 0) {
    throw new Error(
      `${failed} log-ins to target ${id} failed, although its superseded secret stays valid for a while. Last error: ${lastProblem}`,
    );
  }
}

function formatRow({ target, rotation }: Outcome, env: Environment): string[] {
  const { id, accounts, active = "–", published } = target;
  const count = env.counts()[id];
  const versions = [published, rotation?.published].map((it) => (it ? shortenVersion(it) : "–"));
  return [
    id,
    accounts.length === 2 ? `${active} → ${rotation?.account ?? "–"}` : shortenAccount(active),
    versions.join(" → "),
    formatDuration(rotation?.duration),
    String(count?.logIns ?? "–"),
    String(count?.failed ?? "–"),
  ];
}

interface Limit {
  readonly seconds: number;
  /** Describes the failure when there was no answer in time. */
  readonly otherwise: () => string;
  readonly signal: AbortSignal;
}

/** Repeats `ask` until it returns an answer. */
async function waitUntil<Answer>(
  ask: () => Promise<Answer | undefined>,
  { seconds, otherwise, signal }: Limit,
): Promise<Answer> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(otherwise());
    await wait(100);
  }
}
