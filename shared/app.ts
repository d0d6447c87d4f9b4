import { resolve } from "node:path";
import { build } from "./build-id.ts";
import { openConfig, type Opened } from "./config/form/open.ts";
import { ConfigProblemsError, formatProblem, type Problem } from "./config/problems.ts";
import { readSettings, type Settings } from "./config/settings.ts";
import type { SourceFiles } from "./config/yaml/read.ts";
import type { Environment } from "./connections.ts";
import {
  ConfigError,
  KeyReusedError,
  LeaseLostError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "./core/errors.ts";
import type { EventReader } from "./core/events.ts";
import type { LedgerReport } from "./core/ledger/report.ts";
import type { Instant } from "./core/time.ts";
import { checkInThread, CheckTooCostlyError } from "./edited-config.ts";
import type { Operations } from "./engine/operations.ts";
import type { Edited } from "./engine/queries/plan.ts";
import type { LiveConfig } from "./live-config.ts";
import type { Outline } from "./outline.ts";
import type { PlanAnswer, PlanQuestion } from "./planning.ts";
import { JournalUnavailableError, UnreadableRowError } from "./stores/journal.ts";
import { QueueUnavailableError } from "./stores/queue.ts";
import type { Evidence } from "./verify-ledger.ts";

export type { BreachSelection } from "./core/breach/breach.ts";
export type { BreachInput } from "./core/breach/preview.ts";
export type { EventType } from "./core/events.ts";
export type { LedgerReport } from "./core/ledger/report.ts";
export type { Origin } from "./core/record/justification.ts";
export type { PauseInput } from "./core/lifecycle/pausing.ts";
export type { FreezeInput } from "./core/freezes/operator-freeze.ts";
export type { BreachTargetsWanted } from "./engine/breach/breaching.ts";
export type { Selection } from "./engine/inbox/pause-many.ts";
export type { Operations } from "./engine/operations.ts";
export type { PlanOptions } from "./engine/queries/plan.ts";
export type { OutlinedTarget } from "./outline.ts";
export type { RunView as HistoryRotation } from "./core/views.ts";
export type { AppState, KnownTarget, PlanQuestion } from "./planning.ts";
export type { Admission } from "./stores/request-limiter.ts";
export type { GivenInput, GivenResult } from "./engine/inbox/given.ts";
export type { Requested, RotationInput } from "./engine/inbox/request-rotation.ts";
export type { RequestKey } from "./engine/inbox/request-key.ts";
export type { TargetFilter } from "./core/target-filter.ts";
export {
  actionKinds,
  dryRunChecks,
  dryRunResults,
  explainedStates,
  stepKinds,
} from "./core/answer-words.ts";
export type { LedgerAction } from "./core/ledger/actions.ts";
export { ledgerActions, ledgerOutcomes } from "./core/ledger/actions.ts";
export { hashOf } from "./core/canonical.ts";
export { breachStates, itemStates, obstacleKinds } from "./core/breach/breach.ts";
export { errorKinds } from "./core/errors.ts";
export { toPrintable, toPrintableLines } from "./core/printable.ts";
export { Secret } from "./core/secrets/secret.ts";
export { verifyResults } from "./core/looks/verified.ts";
export { runStates } from "./core/record/history.ts";
export { reasons, workingPhases } from "./core/record/record.ts";
export { parseLimit } from "./core/simulation/limits.ts";
export { planFormats } from "./core/simulation/formats.ts";
export { isTargetId, maxGraceMs } from "./core/target.ts";
export { formatDuration, formatLength, parseDuration, parseInstant } from "./core/time.ts";
export { findNearest } from "./core/nearest.ts";
export { toFormPath } from "./config/form/checked-form.ts";
export { parseWorkMessage } from "./stores/work-message.ts";

/** Whether the requested thing does not exist, as the message explains. */
export function isConfigError(error: unknown): error is ConfigError {
  return error instanceof ConfigError;
}

/** Whether an idempotency key was reused for a different request. */
export function isKeyReused(error: unknown): error is KeyReusedError {
  return error instanceof KeyReusedError;
}

/** Whether the caller may retry later, because a store is not available. */
export function isUnavailable(error: unknown): error is Error {
  return error instanceof JournalUnavailableError || error instanceof QueueUnavailableError;
}

/** Whether the caller may retry at once: other workers kept writing the target, and nothing was recorded. */
export function isBusy(error: unknown): error is LeaseLostError {
  return error instanceof LeaseLostError;
}

/** Returns why this instance cannot read the row of the target although the journal is available, or undefined. */
export function findUnreadableRow(error: unknown): string | undefined {
  return error instanceof UnreadableRowError ? error.message : undefined;
}

/** Returns why Key Vault could not be used for the caller, or undefined. */
export function findVaultOutage(error: unknown): string | undefined {
  return error instanceof VaultUnavailableError ? error.message : undefined;
}

/** Returns why the server of a target could not be used for the caller, or undefined. */
export function findTargetOutage(error: unknown): string | undefined {
  return error instanceof TargetUnavailableError ? error.message : undefined;
}

/** Returns the message for an operator if the error is caused by input or configuration, or undefined. */
export function toUserMessage(error: unknown): string | undefined {
  const isExplained = error instanceof ConfigProblemsError || error instanceof ConfigError;
  return isExplained ? error.message : undefined;
}

/** Returns every problem of a rejected configuration, or undefined for any other error. */
export function listConfigProblems(error: unknown): readonly Problem[] | undefined {
  return error instanceof ConfigProblemsError ? error.problems : undefined;
}

/** The operations that triggers and tools can call. */
export interface App {
  /** Each call passes its events to its own reader. */
  with(read: EventReader): Promise<Operations>;
  /** The warnings of the configuration check, once for each configuration that was in force. */
  newWarnings(): Promise<readonly string[]>;
}

let made: Promise<App> | undefined;

/** Returns the one app of this process, and creates it on first use. Rejects with every problem of the configuration. */
export function getApp(): Promise<App> {
  return (made ??= createApp(process.env, process.cwd()));
}

/**
 * Starts the app. Relative paths in the settings start from `root`. The code for servers is loaded by the first trigger,
 * because it would delay the start.
 */
async function createApp(environment: Environment, root: string): Promise<App> {
  const settings = readSettings(environment);
  const config = await openLiveConfig(settings, { environment, root });
  let last: { readonly source: Opened; readonly assembled: () => Promise<Joined> } | undefined;
  let unreported: Opened | undefined;
  return {
    async with(read) {
      const opened = await config.current(read);
      if (last?.source !== opened) {
        const given = {
          environment,
          settings,
          config: opened.config,
          configAlarm: () => config.alarm(),
        };
        last = {
          source: opened,
          assembled: whenNeeded(async () => (await import("./assemble.ts")).assemble(given)),
        };
        unreported = opened;
      }
      return (await last.assembled())(read);
    },
    async newWarnings() {
      const opened = unreported;
      unreported = undefined;
      return opened ? (await opened.warnings()).map(formatProblem) : [];
    },
  };
}

type Joined = (read: EventReader) => Operations;

interface Around {
  readonly environment: Environment;
  readonly root: string;
}

async function openLiveConfig(
  { configuration, ...settings }: Settings,
  around: Around,
): Promise<LiveConfig> {
  if (configuration.as === "blob") {
    const { openConfigInBlob } = await import("./config-in-blob.ts");
    return openConfigInBlob(configuration.url, { configuration, ...settings }, around);
  }
  const opened = await openConfig(resolve(around.root, configuration.path), {
    build,
    check: async (files) => (await import("./tools.ts")).checkFiles(files),
  });
  return { current: () => Promise.resolve(opened), alarm: () => undefined };
}

/** Creates a value on first use, and again after a failure: a package on a network share may be unavailable for a moment. */
function whenNeeded<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () =>
    (value ??= make().catch((error: unknown) => {
      value = undefined;
      throw error;
    }));
}

/** Makes a plan of configuration files, without settings or Azure. Relative paths start from `root`. */
export async function planConfig(
  question: PlanQuestion,
  root: string,
  now?: Instant,
): Promise<PlanAnswer> {
  return (await import("./tools.ts")).planConfig(question, root, now);
}

/**
 * Checks a file or folder in the same way as the start of the app, and returns its content. Needs neither settings nor Azure.
 * Relative paths start from `root`. Rejects with every problem; see `listConfigProblems`.
 */
export async function checkConfig(path: string, root: string): Promise<Outline> {
  return (await import("./tools.ts")).checkConfig(path, root);
}

/** Whether Keyturn has a rotator of this type already. */
export async function isBuiltIn(type: string): Promise<boolean> {
  return (await import("./tools.ts")).isBuiltIn(type);
}

/**
 * Writes the JSON Schema of configurations, for editors. With the file or folder of a configuration it contains the types of the modules
 * that this one names. Rejects with every problem; see `listConfigProblems`.
 */
export async function writeSchema(path: string | undefined, root: string): Promise<string> {
  return (await import("./tools.ts")).writeSchema(path, root);
}

/**
 * Writes the checked form of these files, with which an app of the same `build` starts faster. Its place is `toFormPath`.
 * Undefined when the files cannot have one. Rejects with every problem; see `listConfigProblems`.
 */
export async function writeCheckedForm(
  files: SourceFiles,
  build: string,
): Promise<string | undefined> {
  return (await import("./tools.ts")).writeCheckedForm(files, build);
}

/**
 * Checks the text of a configuration for a comparison, in a thread with its own limits. Rejects with every problem, or when the
 * check takes too much time or memory; see `listConfigProblems` and `isTooCostly`.
 */
export const editedConfig: (text: string) => Promise<Edited> = checkInThread;

/**
 * Verifies the lines of an export of the ledger, without settings and without Azure. `unreadable` names what of the evidence is not a
 * head or a key.
 */
export async function verifyLedger(
  lines: AsyncIterable<string>,
  evidence: Evidence,
): Promise<LedgerReport | { readonly unreadable: keyof Evidence }> {
  return (await import("./verify-ledger.ts")).verifyExport(lines, evidence);
}

/** Whether the check of a configuration was stopped because it took too much time or memory. */
export function isTooCostly(error: unknown): error is Error {
  return error instanceof CheckTooCostlyError;
}
