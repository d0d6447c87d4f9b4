import { findPlace, type Variant } from "./mysql-accounts.ts";
import { notFirst, toFailure } from "./mysql-errors.ts";
import type { Server } from "./mysql-session.ts";
import {
  type AccountChange,
  type AccountRef,
  alterUsers,
  discardSecond,
  type Statement,
} from "./mysql-statements.ts";

/** Runs a statement. Rejects with the driver's own errors. */
export type Run = (statement: Statement) => Promise<unknown>;

/** Whether an account of this server can have two passwords. */
export function hasTwoPasswords({ isMariadb, version }: Server): boolean {
  const [major, minor, patch] = version;
  if (isMariadb) return false;
  return major > 8 || (major === 8 && (minor > 0 || patch >= 14));
}

/** The new password and the one to keep, which may not be set again if it is in doubt. */
interface Overlap {
  readonly next: string;
  readonly kept: string;
  readonly keepInDoubt: boolean;
}

/**
 * Pure: the statements after which `next` and `kept` log in. RETAIN moves the first password to the second place, and pushes out the
 * one there. So RETAIN is right only while `kept` is first. In second place it stays there if the first password changes without RETAIN.
 * If its place is not known, it is set as the first one again before, unless it is in doubt; it is valid then, so this takes nothing away.
 */
export function planOverlap(
  account: string,
  variants: readonly Variant[],
  { next, kept, keepInDoubt }: Overlap,
): readonly Statement[] {
  const placed = variants.map((variant) => ({
    named: { account, host: variant.host } satisfies AccountRef,
    place: findPlace(variant, kept),
  }));
  const unplaced = placed.filter(({ place }) => place === "unknown");
  const changes = placed.map(({ named, place }): AccountChange => ({
    named,
    password: next,
    retains: place === "first" || (place === "unknown" && !keepInDoubt),
  }));
  return [
    ...(unplaced.length === 0 || keepInDoubt
      ? []
      : [alterUsers(unplaced.map(({ named }) => ({ named, password: kept })))]),
    alterUsers(changes),
  ];
}

/** Pure: the statements after which `keep` is the only password. It is first before the second one is removed. */
export function planDiscard(
  account: string,
  variants: readonly Variant[],
  keep: string,
): readonly Statement[] {
  const placed = variants.map((variant) => ({
    named: { account, host: variant.host } satisfies AccountRef,
    isFirst: findPlace(variant, keep) === "first",
    hasSecond: variant.details?.second !== "",
  }));
  const later = placed.filter(({ isFirst }) => !isFirst);
  const discarded = placed.filter(({ hasSecond }) => hasSecond);
  return [
    ...(later.length === 0
      ? []
      : [alterUsers(later.map(({ named }) => ({ named, password: keep })))]),
    ...(discarded.length === 0 ? [] : [discardSecond(discarded.map(({ named }) => named))]),
  ];
}

/**
 * Does the same for the account of the session. There the server itself refuses the change if `keep` is not first, and then `keep`
 * is second.
 */
export async function overlapOwn(run: Run, next: string, keep: string): Promise<void> {
  await unlessSecond(
    () => run(alterUsers([{ named: "me", password: next, replaces: keep, retains: true }])),
    () => run(alterUsers([{ named: "me", password: next }])),
  );
}

export async function discardOwn(run: Run, keep: string): Promise<void> {
  await unlessSecond(
    () => run(alterUsers([{ named: "me", password: keep, replaces: keep }])),
    () => run(alterUsers([{ named: "me", password: keep }])),
  );
  await run(discardSecond(["me"]));
}

async function unlessSecond(
  ifFirst: () => Promise<unknown>,
  ifSecond: () => Promise<unknown>,
): Promise<void> {
  try {
    await ifFirst();
  } catch (error) {
    if (toFailure(error).errno !== notFirst) throw error;
    await ifSecond();
  }
}
