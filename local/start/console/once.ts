import { randomUUID } from "node:crypto";
import type { Environment } from "../../environment.ts";
import { type PublishedSecret, readPublished } from "../demo/vault-access.ts";
import { type Api, makeApi, type RotationView, type TargetView } from "./api.ts";
import { shortVersion, tellDuration } from "./lines.ts";
import { until } from "./until.ts";
import type { ShownTarget } from "./watched.ts";

/** Seconds. Each is for what will never come; on an idle machine everything takes a few. */
const adoptionLimit = 60;
const rotationLimit = 180;
const proofLimit = 60;

interface Outcome {
  readonly target: TargetView;
  /** Left out when nothing is known of it. */
  readonly rotation?: RotationView;
  /** Why it is no success. */
  readonly problem?: string;
}

export interface Report {
  /** For a table; the first one is the heading. */
  readonly rows: readonly (readonly string[])[];
  /** A sentence for each target that was not rotated, or whose new password was not proven. */
  readonly problems: readonly string[];
  /** What is proven when there are no problems. */
  readonly proven: string;
}

/** Rotates every configured target once and proves the result. Throws when it cannot even begin. */
export async function rotateOnce(env: Environment, signal: AbortSignal): Promise<Report> {
  const api = makeApi(env.places().functions);
  const targets = await adopted(api, signal);
  const { watched } = env;
  const before = await publishedBy(env);
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
  return { rows, problems, proven: countProven(env) };
}

function countProven({ watched, targets }: Pick<Environment, "watched" | "targets">): string {
  if (watched.length === targets.length && watched.every(({ endsAtOnce }) => endsAtOnce)) {
    return "Every new password logs in, and every superseded one is refused.";
  }
  const untried = targets.filter((target) => !watched.includes(target)).map(({ id }) => id);
  return untried.length === 0
    ? "Every new password logs in. Superseded ones of pairs stay valid for their grace."
    : `Every new password logs in. Not tried, because their secrets are in another vault: ${untried.join(", ")}.`;
}

async function rotate(
  api: Api,
  target: TargetView,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const id = await api.rotate(target.id, idempotencyKey);
    return describeOutcome(target, await ended(api, target.id, id, signal));
  } catch (error) {
    return { target, problem: describeReason(error, signal) };
  }
}

/** What somebody's wish to stop interrupts is no problem: throws the wish. */
function describeReason(error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  return error instanceof Error ? error.message : String(error);
}

/** What Keyturn only just looks at for the first time, is waited for. */
function adopted(api: Api, signal: AbortSignal): Promise<TargetView[]> {
  let missing: TargetView | undefined;
  const ask = async () => {
    const targets = await api.targets();
    const blocked = targets.find(({ health }) => health === "blocked");
    if (blocked) throw new Error(`${blocked.id} is blocked: ${blocked.lastFailure?.message ?? ""}`);
    missing = targets.find(({ health, published }) => health !== "healthy" && !published);
    return missing ? undefined : targets;
  };
  return until(ask, {
    seconds: adoptionLimit,
    get otherwise() {
      const why = missing?.lastFailure?.message ?? "nobody looked at it";
      return `${missing?.id ?? ""} was not adopted within ${adoptionLimit} s: ${why}`;
    },
    signal,
  });
}

async function publishedBy({ watched, vault }: Environment) {
  const read = await Promise.all(
    watched.map(async ({ id, publish }) => [id, await readPublished(vault, publish.name)] as const),
  );
  return new Map(read);
}

function ended(api: Api, target: string, id: string, signal: AbortSignal): Promise<RotationView> {
  let last: RotationView | undefined;
  const ask = async () => {
    last = await api.rotation(target, id);
    return last.state === "queued" || last.state === "running" ? undefined : last;
  };
  return until(ask, {
    seconds: rotationLimit,
    get otherwise() {
      const why = last?.failure?.message ?? "no reason was told";
      return `The rotation of ${target} did not end within ${rotationLimit} s: ${why}`;
    },
    signal,
  });
}

function describeOutcome(target: TargetView, rotation: RotationView): Outcome {
  const { state, failure } = rotation;
  if (state === "done") return { target, rotation };
  const why = failure?.message ?? "no reason was told";
  const what = state === "blocked" ? "is blocked" : "was not rotated";
  return { target, rotation, problem: `${target.id} ${what}: ${why}` };
}

/** Checked from outside, with the plain clients: the new password logs in, the one before it does not. */
async function prove(
  env: Environment,
  watched: ShownTarget,
  before: PublishedSecret | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { id, publish, endsAtOnce, logIn } = watched;
  const after = await readPublished(env.vault, publish.name);
  if (after === undefined || before?.version === after.version) {
    throw new Error(`${id} has no new version.`);
  }
  if ((await logIn(after.value)) === "refused") {
    throw new Error(`The server refuses what Key Vault publishes for ${id}.`);
  }
  if (before !== undefined && endsAtOnce) {
    const refused = async () => (await logIn(before.value)) === "refused" || undefined;
    const otherwise = `The superseded password of ${id} still logs in.`;
    await until(refused, { seconds: proofLimit, otherwise, signal });
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
  const otherwise = `The consumer of ${id} does not log in any more.`;
  const { failed, lastProblem = "" } = await until(usedAgain, {
    seconds: proofLimit,
    otherwise,
    signal,
  });
  if (accounts.length === 2 && failed > 0) {
    throw new Error(`${failed} log-ins of ${id} failed, and none may: ${lastProblem}`);
  }
}

function formatRow({ target, rotation }: Outcome, env: Pick<Environment, "counts">): string[] {
  const count = env.counts()[target.id];
  const { id, active = "–", published } = target;
  const { account = "–", published: next, duration } = rotation ?? {};
  return [
    id,
    target.accounts.length === 2 ? `${active} → ${account}` : active,
    `${versionIn(published)} → ${versionIn(next)}`,
    tellDuration(duration),
    String(count?.logIns ?? "–"),
    String(count?.failed ?? "–"),
  ];
}

const versionIn = (of: TargetView["published"]): string => (of ? shortVersion(of.version) : "–");
