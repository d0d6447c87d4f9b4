import type { TargetView } from "../../shared/core/views.ts";
import { askWhenReady, type Consumers } from "./load.ts";
import { hasWorkingSecret, isServed } from "./world/stored.ts";
import type { SoakTarget } from "./world/targets.ts";
import type { World } from "./world/world.ts";

/** The state of a target after a fault. */
export interface Problem {
  readonly target: SoakTarget;
  /** A sentence that ends without a full stop. */
  readonly what: string;
  /**
   * - `cured`: it works now, after a person had to act.
   * - `slow`: its consumers work, but a requested rotation was not done in time.
   * - `broken`: its consumers do not work, or a person already had to act.
   */
  readonly kind: "cured" | "slow" | "broken";
}

/** Longer than a claim, because the target of a dead host is processed again only after two minutes. */
const patienceMs = 180_000;
const lookEveryMs = 700;

/** The targets without a stored password that works. */
export async function findLost(
  { vault, database }: World,
  targets: readonly SoakTarget[],
): Promise<SoakTarget[]> {
  const lost: SoakTarget[] = [];
  for (const target of targets) {
    if (!(await hasWorkingSecret(vault.secrets, database, target))) lost.push(target);
  }
  return lost;
}

type Test = (target: SoakTarget, view: TargetView) => Promise<boolean>;

interface Waited {
  /** Targets that did not pass the test in time. */
  readonly failed: SoakTarget[];
  readonly blocked: ReadonlySet<SoakTarget>;
  readonly views: ReadonlyMap<string, TargetView>;
}

/** Waits until each target has passed the test once. */
async function waitUntil(
  world: World,
  targets: readonly SoakTarget[],
  test: Test,
): Promise<Waited> {
  const end = performance.now() + patienceMs;
  const blocked = new Set<SoakTarget>();
  let views: ReadonlyMap<string, TargetView> = new Map();
  let waiting = [...targets];
  for (;;) {
    views = (await world.api.views()) ?? views;
    const failed: SoakTarget[] = [];
    for (const target of waiting) {
      const view = views.get(target.id);
      if (view?.health === "blocked" || view?.health === "unreadable") blocked.add(target);
      if (view === undefined || !(await test(target, view))) failed.push(target);
    }
    waiting = failed;
    if (waiting.length === 0 || performance.now() > end) return { failed, blocked, views };
    await world.pause(lookEveryMs);
  }
}

export const isAtRest = ({ health, rotation, queuedRotation }: TargetView): boolean =>
  health === "healthy" && rotation === undefined && queuedRotation === undefined;

/**
 * Waits until every target works again after a fault. First, nothing is requested: published passwords must work again without
 * help, except where the fault made that impossible. Then a person requests a rotation of the targets that the fault affected or
 * that wait for a retry.
 */
export async function settle(
  world: World,
  consumers: Consumers,
  about: {
    readonly targets: readonly SoakTarget[];
    readonly concerns: readonly SoakTarget[];
    readonly excused: ReadonlySet<SoakTarget>;
  },
): Promise<Problem[]> {
  const { targets, concerns, excused } = about;
  const { vault, database } = world;
  const serves = (target: SoakTarget) => isServed(vault.secrets, database, target.id);
  const problems = new Map<SoakTarget, string>();

  const alone = targets.filter((target) => !excused.has(target));
  const served = await waitUntil(world, alone, serves);
  for (const target of served.failed) {
    problems.set(
      target,
      `what consumers read did not work again by itself${standing(served, target)}`,
    );
  }
  for (const target of served.blocked) problems.set(target, `blocked${standing(served, target)}`);

  const unwell = targets.filter((target) => {
    const view = served.views.get(target.id);
    return view === undefined || !isAtRest(view);
  });
  const asked = [...new Set([...concerns, ...excused, ...unwell])].filter((one) =>
    targets.includes(one),
  );
  await Promise.all(asked.map((target) => askWhenReady(world, consumers, target)));
  const rested = await waitUntil(
    world,
    targets,
    async (target, view) => isAtRest(view) && (await serves(target)),
  );
  for (const target of rested.blocked) problems.set(target, `blocked${standing(rested, target)}`);
  const slow: SoakTarget[] = [];
  for (const target of rested.failed) {
    const isServedNow = await serves(target);
    if (isServedNow && !problems.has(target)) slow.push(target);
    const what = isServedNow ? "no rotation on request was done in time" : "consumers stay refused";
    problems.set(target, `${what}${standing(rested, target)}`);
  }
  return [...problems].map(([target, what]) => {
    const isWell = !rested.failed.includes(target);
    return { target, what, kind: isWell ? "cured" : slow.includes(target) ? "slow" : "broken" };
  });
}

function standing({ views }: Waited, { id }: SoakTarget): string {
  const view = views.get(id);
  if (view === undefined) return "";
  const { health, rotation, lastFailure } = view;
  const phase = rotation === undefined ? "" : `, rotation in ${rotation.phase}`;
  const failure = lastFailure === undefined ? "" : `, last failure: ${lastFailure.message}`;
  return ` (health ${health}${phase}${failure})`;
}
