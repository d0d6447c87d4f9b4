import { z } from "zod";
import type { Config } from "./config/config.ts";
import { formatProblem } from "./config/problems.ts";
import { webAddress } from "./config/schema/fields.ts";
import { ConfigError } from "./core/errors.ts";
import { compare } from "./core/simulation/compare.ts";
import type { PlanFormat } from "./core/simulation/formats.ts";
import type { SimulatedTarget } from "./core/simulation/model.ts";
import { renderComparisonAs, renderPlan } from "./core/simulation/render.ts";
import {
  type PlanScope,
  requireMatch,
  simulateTargets,
  usualLength,
} from "./core/simulation/scope.ts";
import type { PlanBudget } from "./core/simulation/simulate.ts";
import type { Target } from "./core/target.ts";
import { type Instant, plus } from "./core/time.ts";

/** What a plan is made of, and what it is to show. */
export interface PlanQuestion extends PlanScope {
  /** File or folder of the configuration. */
  readonly config: string;
  /** An edited configuration: then what the edit changes is shown instead. */
  readonly against?: string;
  readonly format: PlanFormat;
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

/** A command has a process of its own, and memory and patience for more than an app has. */
const commandLineBudget: PlanBudget = { rotations: 500_000, counted: 1_500_000 };

/** Simulates what is configured, without asking anything of Azure. Throws ConfigProblemsError and ConfigError. */
export async function planFiles(
  question: PlanQuestion,
  { load, serverOf, now }: PlanMeans,
): Promise<PlanAnswer> {
  const { api, against, format } = question;
  const before = await load(question.config);
  const after = against === undefined ? undefined : await load(against);
  requireMatch(question, before.targets, after?.targets ?? []);
  const known = api ? await factsFrom(api) : new Map<string, Facts>();
  const factsOf = (id: string) => known.get(id);
  const knowledge = { now, serverOf, factsOf, budget: commandLineBudget };
  const to = question.to ?? plus(question.from ?? now, usualLength);
  const simulated = ({ targets }: Config) =>
    simulateTargets(targets, { ...question, to }, knowledge);
  if (!after) {
    const text = renderPlan(simulated(before), format, now);
    return { text, warnings: before.warnings.map(formatProblem) };
  }
  const comparison = compare(simulated(before), simulated(after), now);
  const text = renderComparisonAs(comparison, format);
  return { text, warnings: after.warnings.map(formatProblem) };
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
