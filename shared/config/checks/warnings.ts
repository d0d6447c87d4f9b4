import { z } from "zod";
import type { Policy } from "../../core/policy/policy.ts";
import type { Problem } from "../problems.ts";
import { type Entry, withLocation } from "../yaml/merge.ts";
import { choosePolicyFor } from "./choices.ts";
import type { CheckContext, TargetDraft } from "./drafts.ts";

/** How every rotator that speaks TLS writes that it must not be used. */
const withoutTls = z.looseObject({ tls: z.looseObject({ mode: z.literal("disable") }) });

/** What is allowed and worth a second look. */
export function findWarnings(
  drafts: readonly TargetDraft[],
  surroundings: CheckContext,
  policies: ReadonlyMap<string, Entry>,
): Problem[] {
  return [...aboutTls(drafts), ...aboutReports(drafts, surroundings, policies)];
}

function aboutTls(drafts: readonly TargetDraft[]): Problem[] {
  const open = drafts.filter(({ options }) => withoutTls.safeParse(options).success);
  return open.map(({ entry }) =>
    entry.source.locate({
      path: [...entry.path, "options", "tls", "mode"],
      message:
        "TLS is off: passwords cross the network in the clear, and anybody can pose as the server",
    }),
  );
}

/**
 * Reports come in an emergency: that one has no effect must not be found out then. One warning for each policy that
 * applies to a target. A policy with `manualOnly` says by itself that nothing starts a rotation but a person.
 */
function aboutReports(
  drafts: readonly TargetDraft[],
  surroundings: CheckContext,
  policies: ReadonlyMap<string, Entry>,
): Problem[] {
  const [deaf, idle] = [new Map<string, number>(), new Map<string, number>()];
  for (const draft of drafts) {
    const choice = choosePolicyFor(draft, surroundings);
    if (!choice || "problem" in choice) continue;
    const { name, manualOnly, afterExposure } = choice.policy;
    if (!manualOnly && afterExposure === undefined) deaf.set(name, (deaf.get(name) ?? 0) + 1);
    if (waitsForUse(choice.policy)) idle.set(name, (idle.get(name) ?? 0) + 1);
  }
  const say = (counts: ReadonlyMap<string, number>, message: (targets: string) => string) =>
    [...counts].flatMap(([name, count]) => {
      const entry = policies.get(name);
      const targets = count === 1 ? "1 target" : `${count} targets`;
      return entry
        ? withLocation(entry, [{ path: [], message: message(targets), atKey: true }])
        : [];
    });
  return [
    ...say(
      deaf,
      (targets) =>
        `has no afterExposure: a reported exposure or breach of its ${targets} has no effect; add afterExposure, such as 4h`,
    ),
    ...say(
      idle,
      (targets) =>
        `has no schedule besides afterIdle: its ${targets} ${isAre(targets)} not rotated until a use of the secret is reported`,
    ),
  ];
}

function isAre(targets: string): string {
  return targets === "1 target" ? "is" : "are";
}

function waitsForUse({ every, cron, afterIdle }: Policy): boolean {
  return afterIdle !== undefined && every === undefined && cron === undefined;
}
