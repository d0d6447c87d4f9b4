import { proveAll } from "./proof.ts";
import { findLost, isAtRest, settle } from "./settle.ts";
import { type Complaint, findIntact, type Soak } from "./state.ts";
import { isServed } from "./world/stored.ts";
import type { SoakTarget } from "./world/targets.ts";

/** Counts the targets without a stored password that works, except known ones. */
export async function findLosses(soak: Soak, known: Set<SoakTarget>): Promise<void> {
  const { world, report, current, say } = soak;
  const intact = findIntact(soak).filter((target) => !known.has(target));
  for (const target of await findLost(world, intact)) {
    current.row.lost += 1;
    known.add(target);
    const note = `${current.fault}: no stored password of ${target.id} works any more`;
    report.notes.push(note);
    say(`  LOST  ${note}`);
  }
}

/** Waits until every target works again, and counts the others. */
export async function findProblems(
  soak: Soak,
  concerns: readonly SoakTarget[],
  since: number,
): Promise<void> {
  const { world, consumers, report, current, excused, broken, slow, say } = soak;
  const about = { targets: findIntact(soak), concerns, excused };
  for (const { target, what, kind } of await settle(world, consumers, about)) {
    const complaint = { target, row: current.row, since };
    const note = `${current.fault}: ${target.id}: ${what}`;
    report.notes.push(note);
    say(`  ${note}`);
    if (kind !== "cured") broken.add(target);
    if (kind === "slow") slow.set(target, complaint);
    else countPerson(soak, complaint);
  }
}

function countPerson({ world, untold }: Soak, complaint: Complaint): void {
  const { target, row, since } = complaint;
  row.needsPerson += 1;
  if (world.news.alarms(since, target.id) === 0) untold.push(complaint);
}

/** A target that waited for a claim, or for the next safe log-in, may have recovered. */
export async function takeBackCured({ world, broken, slow }: Soak): Promise<void> {
  if (broken.size === 0) return;
  const views = await world.api.views();
  for (const target of broken) {
    const view = views?.get(target.id);
    if (view === undefined || !isAtRest(view)) continue;
    if (!(await isServed(world.vault.secrets, world.database, target.id))) continue;
    broken.delete(target);
    const complaint = slow.get(target);
    if (complaint !== undefined) complaint.row.late += 1;
    slow.delete(target);
  }
}

/** Runs the full proof of every target. A target that fails it needs a person. */
export async function prove(soak: Soak): Promise<void> {
  const { world, consumers, report, slow, untold, say } = soak;
  say("the full proof of every target");
  const began = Date.now();
  const row = report.row("full proof at the end");
  row.rounds += 1;
  for (const { target, what } of await proveAll(world, consumers)) {
    const complaint = slow.get(target);
    slow.delete(target);
    if (complaint !== undefined) countPerson(soak, complaint);
    row.needsPerson += 1;
    const since = complaint?.since ?? began;
    if (world.news.alarms(since, target.id) === 0) row.withoutAlarm += 1;
    report.notes.push(`full proof: ${target.id}: ${what}`);
  }
  for (const { row: guilty } of slow.values()) guilty.late += 1;
  for (const { target, row: guilty, since } of untold) {
    if (world.news.alarms(since, target.id) > 0) continue;
    guilty.withoutAlarm += 1;
    report.notes.push(`no alarm reported that ${target.id} needs a person`);
  }
}
