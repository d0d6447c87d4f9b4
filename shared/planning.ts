import { z } from "zod";
import type { Config } from "./config/config.ts";
import { webAddress } from "./config/fields.ts";
import { formatProblem } from "./config/problems.ts";
import { ConfigError } from "./core/errors.ts";
import { matchesGlob } from "./core/policy/glob.ts";
import { defaultLimits } from "./core/simulation/collisions.ts";
import { compare } from "./core/simulation/compare.ts";
import { renderComparisonJson } from "./core/simulation/json.ts";
import type { SimulatedTarget, Simulation } from "./core/simulation/plan.ts";
import { type PlanFormat, renderPlan } from "./core/simulation/render.ts";
import { simulate } from "./core/simulation/simulate.ts";
import { renderComparison } from "./core/simulation/table.ts";
import type { Target } from "./core/target.ts";
import { day, type Instant, plus } from "./core/time.ts";

/** What a plan is made of, and what it is to show. */
export interface PlanQuestion {
  /** File or folder of the configuration. */
  readonly config: string;
  /** An edited configuration: then what the edit changes is shown instead. */
  readonly against?: string;
  /** Now, when absent. */
  readonly from?: Instant;
  /** Ninety days after `from`, when absent. */
  readonly to?: Instant;
  readonly format: PlanFormat;
  /** Ids of targets; `*` stands for any characters, `?` for one. */
  readonly targets?: string;
  /** A running app that knows how the targets stand. Without one, each counts as adopted now. */
  readonly api?: { readonly url: string; readonly key: string };
}

export interface PlanAnswer {
  readonly text: string;
  /** What the configuration check found worth a second look. */
  readonly warnings: readonly string[];
}

export interface PlanMeans {
  readonly load: (path: string) => Promise<Config>;
  readonly serverOf: (target: Target) => string;
  readonly now: Instant;
}

type Facts = SimulatedTarget["facts"];

const usualLength = 90 * day;

/** Simulates what is configured, without asking anything of Azure. Throws ConfigProblemsError and ConfigError. */
export async function planFiles(question: PlanQuestion, means: PlanMeans): Promise<PlanAnswer> {
  const { api, against, format } = question;
  const before = await means.load(question.config);
  const after = against === undefined ? undefined : await means.load(against);
  const known = api ? await factsFrom(api) : new Map<string, Facts>();
  const simulated = (config: Config) => simulateConfig(config, known, question, means);
  if (!after) {
    const text = renderPlan(simulated(before), format, means.now);
    return { text, warnings: before.warnings.map(formatProblem) };
  }
  const comparison = compare(simulated(before), simulated(after));
  const render = format === "json" ? renderComparisonJson : renderComparison;
  return { text: render(comparison), warnings: after.warnings.map(formatProblem) };
}

function simulateConfig(
  config: Config,
  known: ReadonlyMap<string, Facts>,
  { targets: pattern = "*", from, to }: PlanQuestion,
  { serverOf, now }: PlanMeans,
): Simulation {
  const targets = config.targets
    .filter(({ id }) => matchesGlob(pattern, id))
    .map((target) => ({
      id: target.id,
      policy: target.policy,
      facts: known.get(target.id) ?? { adoptedAt: now },
      vault: target.publish.vault,
      server: serverOf(target),
    }));
  const begin = from ?? now;
  return simulate(targets, begin, to ?? plus(begin, usualLength), defaultLimits, now);
}

const listing = z.object({
  targets: z.array(
    z.object({
      id: z.string(),
      adoptedAt: z.iso.datetime().optional(),
      changedAt: z.iso.datetime().optional(),
      lastUsedAt: z.iso.datetime().optional(),
      exposure: z
        .object({ at: z.iso.datetime(), by: z.string(), kind: z.enum(["exposure", "breach"]) })
        .optional(),
    }),
  ),
});

/** Milliseconds. */
const patience = 30_000;

async function factsFrom({
  url,
  key,
}: NonNullable<PlanQuestion["api"]>): Promise<Map<string, Facts>> {
  const address = webAddress.safeParse(url);
  if (!address.success) {
    throw new ConfigError(`The address of the app ${address.error.issues[0]?.message ?? ""}.`);
  }
  const { targets } = await listTargets(new URL("/api/targets", address.data), key);
  return new Map(
    targets
      .filter(({ adoptedAt }) => adoptedAt !== undefined)
      .map(({ id, adoptedAt, changedAt, exposure, lastUsedAt }) => [
        id,
        {
          ...(adoptedAt !== undefined && changedAt !== undefined && { adoptedAt, changedAt }),
          ...(exposure && {
            exposedAt: exposure.at,
            exposureBy: exposure.by,
            exposureKind: exposure.kind,
          }),
          ...(lastUsedAt !== undefined && { lastUsedAt }),
        },
      ]),
  );
}

async function listTargets(address: URL, key: string): Promise<z.output<typeof listing>> {
  const headers = { "x-functions-key": key };
  const signal = AbortSignal.timeout(patience);
  const response = await fetch(address, { headers, signal, redirect: "error" }).catch(() => {
    throw new ConfigError(`${address.host} does not answer.`);
  });
  if (!response.ok) throw new ConfigError(`${address.host} answers ${response.status}.`);
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = listing.safeParse(body);
  if (!parsed.success) throw new ConfigError(`${address.host} does not answer as Keyturn does.`);
  return parsed.data;
}
