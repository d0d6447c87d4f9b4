import { z } from "zod";
import type { Policy } from "../../core/policy/policy.ts";
import type { Problem } from "../problems.ts";
import { type Entry, withLocation } from "../yaml/merge.ts";
import { choosePolicyFor } from "./choices.ts";
import type { CheckContext, TargetDraft } from "./drafts.ts";

/** The option that turns TLS off, which is the same for every rotator that uses TLS. */
const withoutTls = z.looseObject({ tls: z.looseObject({ mode: z.literal("disable") }) });

/** Finds settings that are allowed but probably not intended. */
export function findWarnings(
  drafts: readonly TargetDraft[],
  context: CheckContext,
  policies: ReadonlyMap<string, Entry>,
): Problem[] {
  return [...aboutTls(drafts), ...aboutReports(drafts, context, policies)];
}

function aboutTls(drafts: readonly TargetDraft[]): Problem[] {
  const open = drafts.filter(({ options }) => withoutTls.safeParse(options).success);
  return open.map(({ entry }) =>
    entry.source.locate({
      path: [...entry.path, "options", "tls", "mode"],
      message:
        "TLS is off: passwords cross the network unencrypted, and the identity of the server is not verified",
    }),
  );
}

/**
 * Operators report an exposure in an emergency, so they must learn beforehand if a report has no effect. There is one warning
 * for each policy that applies to a target, and none for `manualOnly`, which states that only people start rotations.
 */
function aboutReports(
  drafts: readonly TargetDraft[],
  context: CheckContext,
  policies: ReadonlyMap<string, Entry>,
): Problem[] {
  const [withoutExposure, onlyIdle] = [new Map<string, number>(), new Map<string, number>()];
  for (const draft of drafts) {
    const choice = choosePolicyFor(draft, context);
    if (!choice || "problem" in choice) continue;
    const { name, manualOnly, afterExposure } = choice.policy;
    if (!manualOnly && afterExposure === undefined)
      withoutExposure.set(name, (withoutExposure.get(name) ?? 0) + 1);
    if (waitsForUse(choice.policy)) onlyIdle.set(name, (onlyIdle.get(name) ?? 0) + 1);
  }
  const warn = (counts: ReadonlyMap<string, number>, message: (targets: string) => string) =>
    [...counts].flatMap(([name, count]) => {
      const entry = policies.get(name);
      const targets = count === 1 ? "1 target" : `${count} targets`;
      return entry
        ? withLocation(entry, [{ path: [], message: message(targets), atKey: true }])
        : [];
    });
  return [
    ...warn(
      withoutExposure,
      (targets) =>
        `has no afterExposure: reporting an exposure or breach of its ${targets} has no effect; add afterExposure, such as 4h`,
    ),
    ...warn(
      onlyIdle,
      (targets) =>
        `has no schedule besides afterIdle: its ${targets} ${isAre(targets)} not rotated before a use of the secret is reported; add every or cron`,
    ),
  ];
}

function isAre(targets: string): string {
  return targets === "1 target" ? "is" : "are";
}

function waitsForUse({ every, cron, afterIdle }: Policy): boolean {
  return afterIdle !== undefined && every === undefined && cron === undefined;
}
