import { randomUUID } from "node:crypto";
import type { Environment } from "../environment.ts";
import { apiOf, type Api, type RotationView, type TargetView } from "./api.ts";
import { shortVersion, tellDuration } from "./lines.ts";
import { logsIn } from "./log-in.ts";
import { seeds, type Seed } from "./seeds.ts";
import { until } from "./until.ts";
import { readPublished, type PublishedCredential } from "./vault-access.ts";

/** Seconds. Each is for what will never come; on an idle machine everything takes a few. */
const adoptionLimit = 60;
const rotationLimit = 180;
const proofLimit = 60;

interface Outcome {
  readonly target: TargetView;
  readonly rotation: RotationView;
}

/** Rotates every configured target once and proves the result. Returns rows for a table; throws with the reason. */
export async function rotateOnce(env: Environment, signal: AbortSignal): Promise<string[][]> {
  const api = apiOf(env.places().functions);
  const targets = await adopted(api, signal);
  const watched = seeds.filter(({ id }) => targets.some((target) => target.id === id));
  const before = await publishedBy(env, watched);
  const run = randomUUID();
  const outcomes = await Promise.all(
    targets.map(async (target): Promise<Outcome> => {
      const id = await api.rotate(target.id, `${run}-${target.id}`);
      return { target, rotation: await ended(api, target.id, id, signal) };
    }),
  );
  for (const { target, rotation } of outcomes) requireDone(target, rotation);
  for (const seed of watched) await prove(env, seed, before.get(seed.id), signal);
  return [
    ["target", "accounts", "version", "took", "log-ins", "failed"],
    ...outcomes.map((outcome) => rowOf(outcome, env)),
  ];
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

async function publishedBy(env: Environment, watched: readonly Seed[]) {
  const read = await Promise.all(
    watched.map(async ({ id }) => [id, await readPublished(env.vault, id)] as const),
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

function requireDone({ id }: TargetView, { state, failure }: RotationView): void {
  if (state === "done") return;
  throw new Error(`The rotation of ${id} is ${state}: ${failure?.message ?? "no reason was told"}`);
}

/** Checked from outside, with the plain clients: the new password logs in, the one before it does not. */
async function prove(
  env: Environment,
  seed: Seed,
  before: PublishedCredential | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { id } = seed;
  const after = await readPublished(env.vault, id);
  if ((await logsIn(after, env.ca)) === "refused") {
    throw new Error(`PostgreSQL refuses what Key Vault publishes for ${id}.`);
  }
  if (before === undefined || before.version === after.version) {
    throw new Error(`${id} has no new version.`);
  }
  const refused = async () => (await logsIn(before, env.ca)) === "refused" || undefined;
  const otherwise = `The superseded password of ${before.username} (${id}) still logs in.`;
  await until(refused, { seconds: proofLimit, otherwise, signal });
  await requireWorkingConsumer(env, seed, signal);
}

async function requireWorkingConsumer(env: Environment, seed: Seed, signal: AbortSignal) {
  const { logIns = 0 } = env.counts()[seed.id] ?? {};
  const usedAgain = () => {
    const now = env.counts()[seed.id];
    return Promise.resolve(now !== undefined && now.logIns > logIns + 1 ? now : undefined);
  };
  const otherwise = `The consumer of ${seed.id} does not log in any more.`;
  const { failed, lastProblem = "" } = await until(usedAgain, {
    seconds: proofLimit,
    otherwise,
    signal,
  });
  if (seed.accounts.length === 2 && failed > 0) {
    throw new Error(`${failed} log-ins of ${seed.id} failed, and none may: ${lastProblem}`);
  }
}

function rowOf({ target, rotation }: Outcome, env: Environment): string[] {
  const count = env.counts()[target.id];
  const { id, active = "–", published } = target;
  const accounts = target.accounts.length === 2 ? `${active} → ${rotation.account ?? ""}` : active;
  return [
    id,
    accounts,
    `${shortVersion(published?.version)} → ${shortVersion(rotation.published?.version)}`,
    tellDuration(rotation.duration),
    String(count?.logIns ?? "–"),
    String(count?.failed ?? "–"),
  ];
}
