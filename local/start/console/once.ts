import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Environment } from "../../environment.ts";
import { type PublishedSecret, readPublished } from "../demo/vault-access.ts";
import { type Api, makeApi, type RotationView, type TargetView } from "./api.ts";
import { shortVersion, tellDuration } from "./lines.ts";
import type { ShownTarget } from "./watched.ts";

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
  /** One sentence for each target that was not rotated or whose new password was not proven. */
  readonly problems: readonly string[];
  /** Says what the run proved; true only when `problems` is empty. */
  readonly proven: string;
}

/** Rotates every configured target once and proves the result. Throws when the rotations cannot start. */
export async function rotateOnce(env: Environment, signal: AbortSignal): Promise<Report> {
  const api = makeApi(env.places().functions);
  const targets = await waitForAdoption(api, signal);
  const { watched } = env;
  const before = await readAllPublished(env);
  const run = randomUUID();
  const outcomes = await Promise.all(
    targets.map((target) => rotate(api, target, `${run}-${target.id}`, signal)),
  );
  const problems = outcomes.flatMap(({ problem }) => problem ?? []);
  for (const one of watched) {
    const done = outcomes.some(({ target, problem }) => target.id === one.id && !problem);
    const proof = done ? prove(env, one, before.get(one.id), signal) : undefined;
    await proof?.catch((error: unknown) => problems.push(describeReason(error, signal)));
  }
  const heading = ["target", "accounts", "version", "took", "log-ins", "failed"];
  const rows = [heading, ...outcomes.map((outcome) => formatRow(outcome, env))];
  return { rows, problems, proven: describeProof(env) };
}

function describeProof({ watched, targets }: Pick<Environment, "watched" | "targets">): string {
  if (watched.length === targets.length && watched.every(({ endsAtOnce }) => endsAtOnce)) {
    return "Every new password logs in, and every superseded password is refused.";
  }
  const untried = targets.filter((target) => !watched.includes(target)).map(({ id }) => id);
  return untried.length === 0
    ? "Every new password logs in. Superseded passwords of pairs stay valid for their grace period."
    : `Every new password logs in. Not tested, because their secrets are in another vault: ${untried.join(", ")}.`;
}

async function rotate(
  api: Api,
  target: TargetView,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const id = await api.rotate(target.id, idempotencyKey);
    return describeOutcome(target, await waitForEnd(api, target.id, id, signal));
  } catch (error) {
    return { target, problem: describeReason(error, signal) };
  }
}

/** Describes an error. Throws the signal's reason instead after a request to stop, which is not a problem. */
function describeReason(error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  return error instanceof Error ? error.message : String(error);
}

/** Waits until Keyturn has adopted every target. */
function waitForAdoption(api: Api, signal: AbortSignal): Promise<TargetView[]> {
  let missing: TargetView | undefined;
  const ask = async () => {
    const targets = await api.targets();
    const blocked = targets.find(({ health }) => health === "blocked");
    if (blocked)
      throw new Error(`Target ${blocked.id} is blocked: ${blocked.lastFailure?.message ?? ""}`);
    missing = targets.find(({ health, published }) => health !== "healthy" && !published);
    return missing ? undefined : targets;
  };
  return until(ask, {
    seconds: adoptionTimeout,
    get otherwise() {
      const why = missing?.lastFailure?.message ?? "no worker has checked the target yet";
      return `Waiting for the adoption of target ${missing?.id ?? ""} timed out after ${adoptionTimeout} s. Last error: ${why}`;
    },
    signal,
  });
}

async function readAllPublished({ watched, vault }: Environment) {
  const read = await Promise.all(
    watched.map(async ({ id, publish }) => [id, await readPublished(vault, publish.name)] as const),
  );
  return new Map(read);
}

function waitForEnd(
  api: Api,
  target: string,
  id: string,
  signal: AbortSignal,
): Promise<RotationView> {
  let last: RotationView | undefined;
  const ask = async () => {
    last = await api.rotation(target, id);
    return last.state === "queued" || last.state === "running" ? undefined : last;
  };
  return until(ask, {
    seconds: rotationTimeout,
    get otherwise() {
      const why = last?.failure?.message ?? "no reason given";
      return `Waiting for the rotation of target ${target} timed out after ${rotationTimeout} s. Last error: ${why}`;
    },
    signal,
  });
}

function describeOutcome(target: TargetView, rotation: RotationView): Outcome {
  const { state, failure } = rotation;
  if (state === "done") return { target, rotation };
  const why = failure?.message ?? "no reason given";
  const what = state === "blocked" ? "is blocked" : "was not rotated";
  return { target, rotation, problem: `Target ${target.id} ${what}: ${why}` };
}

/** Proves, without the app, that the new password logs in and that the server refuses the superseded one. */
async function prove(
  env: Environment,
  watched: ShownTarget,
  before: PublishedSecret | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { id, publish, endsAtOnce, logIn } = watched;
  const after = await readPublished(env.vault, publish.name);
  if (after === undefined || before?.version === after.version) {
    throw new Error(`Secret ${publish.name} of target ${id} has no new version.`);
  }
  if ((await logIn(after.value)) === "refused") {
    throw new Error(`The server refuses the published password of target ${id}.`);
  }
  if (before !== undefined && endsAtOnce) {
    const refused = async () => (await logIn(before.value)) === "refused" || undefined;
    const otherwise = `The superseded password of target ${id} still logs in.`;
    await until(refused, { seconds: proofTimeout, otherwise, signal });
  }
  await requireWorkingConsumer(env, watched, signal);
}

async function requireWorkingConsumer(
  env: Environment,
  { id, accounts }: ShownTarget,
  signal: AbortSignal,
) {
  const { logIns = 0 } = env.counts()[id] ?? {};
  const usedAgain = () => {
    const now = env.counts()[id];
    return Promise.resolve(now !== undefined && now.logIns > logIns + 1 ? now : undefined);
  };
  const otherwise = `The consumer stopped logging in to target ${id}.`;
  const { failed, lastProblem = "" } = await until(usedAgain, {
    seconds: proofTimeout,
    otherwise,
    signal,
  });
  if (accounts.length === 2 && failed > 0) {
    throw new Error(
      `${failed} log-ins to target ${id} failed. A pair must have no failed log-ins. Last error: ${lastProblem}`,
    );
  }
}

function formatRow({ target, rotation }: Outcome, env: Pick<Environment, "counts">): string[] {
  const count = env.counts()[target.id];
  const { id, active = "–", published } = target;
  const { account = "–", published: next, duration } = rotation ?? {};
  return [
    id,
    target.accounts.length === 2 ? `${active} → ${account}` : active,
    `${formatVersion(published)} → ${formatVersion(next)}`,
    tellDuration(duration),
    String(count?.logIns ?? "–"),
    String(count?.failed ?? "–"),
  ];
}

const formatVersion = (published: TargetView["published"]): string =>
  published ? shortVersion(published.version) : "–";

/** Repeats `ask` until it returns an answer; throws `otherwise` when there is none in time. */
async function until<Answer>(
  ask: () => Promise<Answer | undefined>,
  limit: { readonly seconds: number; readonly otherwise: string; readonly signal: AbortSignal },
): Promise<Answer> {
  const end = performance.now() + limit.seconds * 1000;
  for (;;) {
    limit.signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(limit.otherwise);
    await wait(100);
  }
}
