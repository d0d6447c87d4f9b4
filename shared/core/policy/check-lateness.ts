import type { Policy } from "../policy.ts";
import { formatDuration, hour, type Instant, minute } from "../time.ts";
import { formatLocal } from "./calendar.ts";
import type { Moments } from "./facts.ts";
import { freezeAt } from "./freezes.ts";
import { openingsOf } from "./openings.ts";
import { decide, type Placement } from "./placement.ts";
import { type Problem, problem } from "./problem.ts";

const cycles = 60;
/** Between the start of a rotation and the moment from which its age counts. */
const rotationLength = minute;
/** Later than this counts as late. */
const tolerance = 30 * minute;

interface Late {
  readonly placement: Placement;
  readonly by: number;
}

/** Tries a policy out on a target that starts when a window opens, and reports what always or sometimes comes late. */
export function checkLateness(policy: Policy, from: number): Problem[] {
  const first = openingsOf(policy).first(from, from);
  if (!first) return [neverOpens(policy, from)];
  if (policy.manualOnly || policy.every === undefined) return [];
  const placements = tryOut(policy, Math.max(first.from, from));
  const late = placements.flatMap((placement): Late[] => {
    const by = placement.at - placement.claim.due;
    return by > tolerance ? [{ placement, by }] : [];
  });
  const frozen = late.find(({ placement }) => freezeHolding(policy, placement) !== undefined);
  const unfrozen = late.filter(({ placement }) => freezeHolding(policy, placement) === undefined);
  return [
    ...(unfrozen.length > 0 ? [comesLate(unfrozen, placements.length)] : []),
    ...(frozen ? [heldBack(policy, frozen)] : []),
  ];
}

function neverOpens(policy: Policy, from: number): Problem {
  const unfrozen = openingsOf({ ...policy, freeze: [] }).first(from, from);
  if (unfrozen === undefined) return problem([], "has no window that opens in the next ten years");
  const at = Math.max(unfrozen.from, from);
  const message = `holds back every change for ten years, first that of ${formatLocal(at, policy.timeZone ?? "UTC")}`;
  return { ...problem(["freeze"], message), firstAt: instant(at) };
}

const nothingKnown: Moments = {
  changedAt: undefined,
  exposedAt: undefined,
  exposureBy: undefined,
  exposureKind: "exposure",
  lastUsedAt: undefined,
  adoptedAt: undefined,
};

function tryOut(policy: Policy, from: number): Placement[] {
  const placements: Placement[] = [];
  let changedAt = from + rotationLength;
  while (placements.length < cycles) {
    const { chosen } = decide(policy, { ...nothingKnown, changedAt }, changedAt, () => 0);
    if (!chosen) break;
    placements.push(chosen);
    changedAt = chosen.at + rotationLength;
  }
  return placements;
}

/** The freeze but for which the change would have started on time. */
function freezeHolding(policy: Policy, { claim }: Placement) {
  const { freeze = [], timeZone = "UTC" } = policy;
  const open = openingsOf({ ...policy, freeze: [] }).first(claim.from, claim.from);
  if (!open) return undefined;
  const wanted = Math.max(open.from, claim.from);
  return wanted <= claim.due + tolerance ? freezeAt(freeze, timeZone, wanted) : undefined;
}

function comesLate(late: readonly Late[], tried: number): Problem {
  const [first] = late;
  const worst = late.reduce((most, { by }) => Math.max(most, by), 0);
  const how = late.length === tried ? "every rotation comes" : "some rotations come";
  const longest = roughly(worst);
  const message = `opens too seldom: ${how} up to ${longest} after the due moment; give headStart at least that`;
  return {
    severity: "warning",
    path: ["headStart"],
    message,
    ...(first && { firstAt: instant(first.placement.claim.due) }),
  };
}

function heldBack(policy: Policy, { placement, by }: Late): Problem {
  const freeze = freezeHolding(policy, placement);
  const index = (policy.freeze ?? []).findIndex((one) => one === freeze);
  const what = (policy.at ?? policy.cron) ? "an appointment" : "a window";
  const longest = roughly(by);
  const message = `holds back ${what} that rotations need: they come up to ${longest} late`;
  const at = instant(placement.claim.due);
  return { severity: "warning", path: ["freeze", index], message, firstAt: at };
}

/** Rounded up: what is said is enough. */
function roughly(milliseconds: number): string {
  const unit = milliseconds > 2 * hour ? hour : minute;
  return formatDuration(Math.ceil(milliseconds / unit) * unit);
}

function instant(milliseconds: number): Instant {
  return new Date(milliseconds).toISOString();
}
