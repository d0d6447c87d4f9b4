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

/** The question to `planFiles`: the input of a plan, and its output format. */
export interface PlanQuestion extends PlanScope {
  /** The file or folder of the configuration. */
  readonly config: string;
  /** The file or folder of an edited configuration. If set, the plan shows what the edit changes. */
  readonly against?: string;
  readonly format: PlanFormat;
  /** A running app that knows the state of the targets. Absent: each target counts as adopted now. */
  readonly api?: { readonly url: string; readonly key: string };
}

export interface PlanAnswer {
  readonly text: string;
  /** The warnings of the configuration check. */
  readonly warnings: readonly string[];
}

export interface PlanMeans {
  readonly load: (path: string) => Promise<Config>;
  readonly serverOf: (target: Target) => string;
  readonly now: Instant;
}

type Facts = SimulatedTarget["facts"];

/** A command has its own process, so it may use more memory and time than a request to the app. */
const commandLineBudget: PlanBudget = { rotations: 500_000, counted: 1_500_000 };

/** Simulates the configured targets without contacting Azure. Throws ConfigProblemsError and ConfigError. */
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

const requestTimeoutMs = 30_000;

async function factsFrom({
  url,
  key,
}: NonNullable<PlanQuestion["api"]>): Promise<Map<string, Facts>> {
  const address = webAddress.safeParse(url);
  if (!address.success) {
    throw new ConfigError(
      `The address of the app is invalid: the address ${address.error.issues[0]?.message ?? ""}.`,
    );
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
  const signal = AbortSignal.timeout(requestTimeoutMs);
  const response = await fetch(address, { headers, signal, redirect: "error" }).catch(() => {
    throw new ConfigError(
      `The app at ${address.host} does not respond. Check the address, and that the app is running.`,
    );
  });
  if (!response.ok) throw new ConfigError(describeStatus(address, response.status));
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = listing.safeParse(body);
  if (!parsed.success)
    throw new ConfigError(
      `The response of ${address.host} is not from Keyturn. Check the address of the app.`,
    );
  return parsed.data;
}

function describeStatus({ host }: URL, status: number): string {
  return status === 401 || status === 403
    ? `The app at ${host} rejected the function key (${status}). Check the variable in --key-env.`
    : `The app at ${host} responded with status ${status}.`;
}
