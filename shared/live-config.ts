import { createHash } from "node:crypto";
import type { Config } from "./config/config.ts";
import { parseForm } from "./config/form/checked-form.ts";
import { type Opened, openFiles } from "./config/form/open.ts";
import { ConfigProblemsError, formatProblem } from "./config/problems.ts";
import type { SourceFiles } from "./config/yaml/read.ts";
import { type EventReader, type EventType, toEvent } from "./core/events.ts";
import { between, hour, type Instant, minute, plus, second, toInstantAt } from "./core/time.ts";
import { CheckTooCostlyError } from "./edited-config.ts";
import type { KnownAlarm } from "./engine/alarm.ts";
import { type ConfigBlob, ConfigBlobError, type StoredConfig } from "./stores/blob/config-blob.ts";
import { KeptConfigError, type KeptConfigs } from "./stores/blob/kept-config.ts";

/** Milliseconds between two reads of the blob. An edit takes at most this time to reach an instance that has work. */
const lookIntervalMs = 30 * second;

/** Milliseconds that a trigger waits for a read of the blob while a configuration is in force. */
const maxWaitMs = second;

/** Milliseconds until an edit is checked again whose check took too much or failed by itself. */
const recheckAfterMs = 10 * minute;

/** The number of problems that an alarm lists. The log lists all of them. */
const maxListedProblems = 5;

export interface LiveConfigDeps {
  readonly blob: ConfigBlob;
  readonly kept: KeptConfigs;
  /** The name of the running build. A form of another build is not used. Undefined: no form is stored. */
  readonly build: string | undefined;
  /** The folder where relative paths in the configuration begin. */
  readonly folder: string;
  readonly check: (files: SourceFiles) => Promise<Config>;
  /** Writes the checked form in a thread, so that rotations continue. Undefined when these files cannot have one. */
  readonly writeForm: (files: SourceFiles["files"], build: string) => Promise<string | undefined>;
  readonly now: () => Instant;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

/** The configuration of a process, which operators can edit while the process runs. */
export interface LiveConfig {
  /**
   * Returns the configuration in force, after a check for an edit if the last check was more than half a minute ago. Emits an
   * event for an edit that comes into force, cannot be read, or has problems. Rejects while no configuration is in force.
   */
  current(read: EventReader): Promise<Opened>;
  /** Returns the alarm about an edit that is not in force. Undefined when there is no problem. */
  alarm(): KnownAlarm | undefined;
}

/** Why the latest edit is not in force. */
interface RefusedEdit {
  readonly error: Error;
  readonly alarm?: KnownAlarm;
  /** When the same edit is checked again. */
  readonly retryAt?: Instant;
}

/** Why the blob could not be read at the last check. An edit that was rejected before stays rejected. */
interface UnreadableBlob {
  readonly error: ConfigBlobError;
  readonly alarm?: KnownAlarm;
}

interface State {
  inForce?: Opened;
  /** The bytes of what is in force. */
  bytes?: Buffer;
  unreadable?: UnreadableBlob | undefined;
  /** The ETag of the last blob that was read, whether or not it came into force. */
  etag?: string;
  refusal?: RefusedEdit | undefined;
  /** The configuration that is in force here but not yet stored for other instances. */
  unkept?: { readonly config: StoredConfig; readonly form: string | undefined } | undefined;
  lookedAt?: Instant;
}

/**
 * Keeps the configuration of a blob in force. A valid edit comes into force after its check. An edit with problems changes
 * nothing: the last good configuration stays in force, also on instances that start later.
 */
export function makeLiveConfig(deps: LiveConfigDeps): LiveConfig {
  const state: State = {};
  let looking: Promise<void> | undefined;
  return {
    async current(read) {
      if (isTimeToLook(state, deps.now())) {
        looking ??= look(deps, state, read).finally(() => {
          looking = undefined;
        });
        // A slow storage or a long check must not hold up what already has a configuration.
        await (state.inForce ? Promise.race([looking, deps.pause(maxWaitMs)]) : looking);
      }
      if (state.inForce) return state.inForce;
      throw (
        (state.refusal ?? state.unreadable)?.error ?? new Error("Bug: no configuration was read")
      );
    },
    alarm: () => state.refusal?.alarm ?? state.unreadable?.alarm,
  };
}

function isTimeToLook({ lookedAt }: State, now: Instant): boolean {
  if (lookedAt === undefined) return true;
  const passed = between(lookedAt, now);
  // A clock that was set back must not delay an edit.
  return passed < 0 || passed >= lookIntervalMs;
}

/** Never rejects, so that one failure cannot stop the triggers of an instance that has a configuration. */
async function look(deps: LiveConfigDeps, state: State, read: EventReader): Promise<void> {
  const report = (type: EventType, detail: string) => {
    read(toEvent({ type, at: deps.now(), detail }));
  };
  const { retryAt } = state.refusal ?? {};
  const isRetry = retryAt !== undefined && retryAt <= deps.now();
  try {
    const found = await deps.blob.read(isRetry ? undefined : state.etag);
    if (found !== "unchanged") await takeEdit(deps, state, found, report);
    state.unreadable = undefined;
  } catch (error) {
    noteUnreadable(state, error, deps.now(), report);
  }
  if (!state.inForce) await openLastGood(deps, state, report);
  await keep(deps, state, report);
  state.lookedAt = deps.now();
}

function noteUnreadable(state: State, error: unknown, now: Instant, report: Report): void {
  const known =
    error instanceof ConfigBlobError ? error : new ConfigBlobError(describe(error), false);
  if (state.unreadable?.error.reason !== known.reason) report("config-unreadable", known.message);
  state.unreadable = toUnreadable(known, now);
}

const describe = (error: unknown): string =>
  `The configuration could not be read: ${error instanceof Error ? error.name : "unknown error"}.`;

type Report = (type: EventType, detail: string) => void;

async function takeEdit(deps: LiveConfigDeps, state: State, found: StoredConfig, report: Report) {
  state.etag = found.etag;
  if (state.bytes?.equals(found.bytes) && state.inForce) {
    // Stored again without a change: what the instance remembers of servers and admins stays.
    state.refusal = undefined;
    state.unkept = { config: found, form: undefined };
    return;
  }
  try {
    const { opened, newForm } = await open(deps, found.bytes);
    if (state.inForce || state.refusal || state.unreadable) {
      report("config-changed", `the configuration of ${found.modifiedAt} is now in force`);
    }
    Object.assign(state, { inForce: opened, bytes: found.bytes, refusal: undefined });
    state.unkept = { config: found, form: newForm };
  } catch (error) {
    const refusal = refuseEdit(error, found, deps.now());
    if (state.refusal?.error.message !== refusal.error.message) {
      report("config-refused", refusal.error.message);
    }
    state.refusal = refusal;
  }
}

interface FreshlyOpened {
  readonly opened: Opened;
  /** The checked form, if it was written now. */
  readonly newForm: string | undefined;
}

/**
 * Opens the configuration from the form that another instance stored, if it belongs to these bytes and this build. Otherwise
 * writes a new one.
 */
async function open(deps: LiveConfigDeps, bytes: Buffer): Promise<FreshlyOpened> {
  const files = [{ name: "keyturn.yaml", bytes }];
  const given: SourceFiles = { files, folder: deps.folder };
  // A form is written even without a build, because the thread returns its result in this form.
  const build = deps.build ?? "none";
  const kept = deps.build === undefined ? undefined : await keptForm(deps.kept);
  const content = kept && parseForm(kept, files, build);
  if (content && content !== "damaged") {
    return { opened: await openFiles(given, content, deps), newForm: undefined };
  }
  const newForm = await deps.writeForm(files, build);
  const written = newForm === undefined ? undefined : parseForm(Buffer.from(newForm), files, build);
  const opened = await openFiles(given, written === "damaged" ? undefined : written, deps);
  return { opened, newForm: deps.build === undefined ? undefined : newForm };
}

/** Reads the stored form. Errors are ignored, because the form only saves time. */
async function keptForm(kept: KeptConfigs): Promise<Buffer | undefined> {
  try {
    return await kept.checkedForm();
  } catch {
    return undefined;
  }
}

/** Opens the last good configuration on an instance that starts while the latest edit cannot be used. */
async function openLastGood(deps: LiveConfigDeps, state: State, report: Report): Promise<void> {
  try {
    const good = await deps.kept.lastGood();
    if (!good) return;
    Object.assign(state, { inForce: (await open(deps, good.bytes)).opened, bytes: good.bytes });
    report("config-changed", `the last good configuration, of ${good.modifiedAt}, is now in force`);
  } catch (error) {
    const reason =
      isRefusal(error) || error instanceof KeptConfigError ? error.message : describe(error);
    report("config-unreadable", `The last good configuration cannot be used: ${reason}`);
  }
}

/** Stores the configuration for other instances. If that fails, the next check tries again. */
async function keep({ kept }: LiveConfigDeps, state: State, report: Report): Promise<void> {
  if (!state.unkept) return;
  const { config, form } = state.unkept;
  try {
    await kept.keep(config);
    if (form !== undefined) await kept.keepForm(form);
    state.unkept = undefined;
  } catch (error) {
    report("config-not-kept", error instanceof KeptConfigError ? error.message : describe(error));
  }
}

function isRefusal(error: unknown): error is ConfigProblemsError | CheckTooCostlyError {
  return error instanceof ConfigProblemsError || error instanceof CheckTooCostlyError;
}

/** Problems stay until the next edit. A check that took too much, or failed by itself, may succeed later or on another instance. */
function refuseEdit(cause: unknown, edit: StoredConfig, now: Instant): RefusedEdit {
  const error = isRefusal(cause) ? cause : new Error(`Bug: the check failed: ${describe(cause)}`);
  const reason = error instanceof ConfigProblemsError ? firstProblems(error) : error.message;
  const message = `The configuration of ${edit.modifiedAt} was rejected, so the last good configuration stays in force. Reason: ${reason}`;
  const alarm = makeAlarm("config-refused", message, edit.modifiedAt, edit.etag);
  if (error instanceof ConfigProblemsError) return { error, alarm };
  return { error, alarm, retryAt: plus(now, recheckAfterMs) };
}

function firstProblems({ problems }: ConfigProblemsError): string {
  const listed = problems.slice(0, maxListedProblems).map(formatProblem);
  const left = problems.length - listed.length;
  return [...listed, ...(left > 0 ? [`and ${left} more`] : [])].join("; ");
}

/** A temporary failure raises no alarm. A lasting failure raises one alarm an hour. */
function toUnreadable(error: ConfigBlobError, now: Instant): UnreadableBlob {
  if (!error.isLasting) return { error };
  const message = `${error.message} The last good configuration stays in force.`;
  const thisHour = toInstantAt(Math.floor(Date.parse(now) / hour) * hour);
  return { error, alarm: makeAlarm("config-unreadable", message, thisHour, thisHour) };
}

/** All instances compute the same time and id, so that they raise one alarm together. */
function makeAlarm(
  kind: KnownAlarm["kind"],
  message: string,
  at: Instant,
  subject: string,
): KnownAlarm {
  const id = createHash("sha256").update(`${kind} ${subject}`).digest("hex").slice(0, 26);
  return { kind, message, at, id };
}
