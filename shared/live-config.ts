import { createHash } from "node:crypto";
import type { Config } from "./config/config.ts";
import { parseForm } from "./config/form/checked-form.ts";
import { type Opened, openFiles } from "./config/form/open.ts";
import { ConfigProblemsError, formatProblem } from "./config/problems.ts";
import type { SourceFiles } from "./config/yaml/read.ts";
import { type EventReader, type EventType, toEvent } from "./core/events.ts";
import { hour, type Instant, instantAt, second } from "./core/time.ts";
import { CheckTooCostlyError } from "./edited-config.ts";
import type { KnownAlarm } from "./engine/alarm.ts";
import { type ConfigBlob, ConfigBlobError, type StoredConfig } from "./stores/blob/config-blob.ts";
import { KeptConfigError, type KeptConfigs } from "./stores/blob/kept-config.ts";

/** Milliseconds between two looks at the blob: how long an edit may wait on an instance that has work. */
const lookEvery = 30 * second;

/** Problems that an alarm repeats; the log has all of them. */
const mostToldProblems = 5;

export interface LiveConfigOf {
  readonly blob: ConfigBlob;
  readonly kept: KeptConfigs;
  /** Which build this is; a form of another one is not used. Undefined: none is kept. */
  readonly build: string | undefined;
  /** Where relative paths in the configuration begin. */
  readonly folder: string;
  readonly check: (files: SourceFiles) => Promise<Config>;
  /** In a thread, so that rotations go on meanwhile. Undefined when these files cannot have one. */
  readonly writeForm: (files: SourceFiles["files"], build: string) => Promise<string | undefined>;
  readonly now: () => Instant;
}

/** The configuration of a process, which may be edited while the process runs. */
export interface LiveConfig {
  /**
   * What is in force, after a look for an edit where the last look is a while ago. Tells of an edit that came into force, and of one
   * that could not be read or has problems. Rejects while nothing is in force.
   */
  current(read: EventReader): Promise<Opened>;
  /** What a person must be told of an edit that is not in force. Undefined when all is well. */
  alarm(): KnownAlarm | undefined;
}

/** Why the newest edit is not in force. */
interface Refusal {
  readonly error: Error;
  readonly alarm?: KnownAlarm;
}

interface State {
  inForce?: Opened;
  /** Of what was read last, whatever became of it. */
  etag?: string;
  refusal?: Refusal | undefined;
  /** What is in force here and could not be kept for others yet. */
  unkept?: { readonly config: StoredConfig; readonly form: string | undefined } | undefined;
  lookedAt?: Instant;
}

/**
 * The configuration in a blob. An edit is in force as soon as it was checked. One with problems changes nothing: the last good one stays
 * in force, on instances that start later as well.
 */
export function liveConfig(of: LiveConfigOf): LiveConfig {
  const state: State = {};
  let looking: Promise<void> | undefined;
  return {
    async current(read) {
      if (isTimeToLook(state, of.now())) {
        await (looking ??= look(of, state, read).finally(() => {
          looking = undefined;
        }));
      }
      if (state.inForce) return state.inForce;
      throw state.refusal?.error ?? new Error("no configuration was read");
    },
    alarm: () => state.refusal?.alarm,
  };
}

function isTimeToLook({ lookedAt }: State, now: Instant): boolean {
  if (lookedAt === undefined) return true;
  const passed = Date.parse(now) - Date.parse(lookedAt);
  // A clock that was set back must not put an edit off.
  return passed < 0 || passed >= lookEvery;
}

async function look(of: LiveConfigOf, state: State, read: EventReader): Promise<void> {
  const tell = (type: EventType, detail: string) => {
    read(toEvent({ type, at: of.now(), detail }));
  };
  try {
    const found = await of.blob.read(state.etag);
    if (found !== "unchanged") await takeEdit(of, state, found, tell);
    else if (state.refusal?.error instanceof ConfigBlobError) state.refusal = undefined;
  } catch (error) {
    if (!(error instanceof ConfigBlobError)) throw error;
    if (state.refusal?.error.message !== error.message) tell("config-unreadable", error.message);
    state.refusal = unreadable(error, of.now());
  }
  if (!state.inForce) await openLastGood(of, state, tell);
  await keep(of, state, tell);
  state.lookedAt = of.now();
}

type Tell = (type: EventType, detail: string) => void;

async function takeEdit(of: LiveConfigOf, state: State, found: StoredConfig, tell: Tell) {
  try {
    const { opened, newForm } = await open(of, found.bytes);
    if (state.inForce || state.refusal) {
      tell("config-changed", `the configuration of ${found.modifiedAt} is in force now`);
    }
    Object.assign(state, { inForce: opened, refusal: undefined });
    state.unkept = { config: found, form: newForm };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    tell("config-refused", error.message);
    state.refusal = refuseEdit(error, found);
  }
  state.etag = found.etag;
}

interface FreshlyOpened {
  readonly opened: Opened;
  /** The checked form, if it had to be written. */
  readonly newForm: string | undefined;
}

/** Of the form that another instance has kept, where it is one of these bytes and this build; else a new one is written. */
async function open(of: LiveConfigOf, bytes: Buffer): Promise<FreshlyOpened> {
  const files = [{ name: "keyturn.yaml", bytes }];
  const given: SourceFiles = { files, folder: of.folder };
  // Also without a build: the form is how the thread hands over what it has checked.
  const build = of.build ?? "none";
  const kept = of.build === undefined ? undefined : await keptForm(of.kept);
  const content = kept && parseForm(kept, files, build);
  if (content && content !== "damaged") {
    return { opened: await openFiles(given, content, of), newForm: undefined };
  }
  const newForm = await of.writeForm(files, build);
  const written = newForm === undefined ? undefined : parseForm(Buffer.from(newForm), files, build);
  const opened = await openFiles(given, written === "damaged" ? undefined : written, of);
  return { opened, newForm: of.build === undefined ? undefined : newForm };
}

/** It only saves time. */
async function keptForm(kept: KeptConfigs): Promise<Buffer | undefined> {
  try {
    return await kept.checkedForm();
  } catch (error) {
    if (!(error instanceof KeptConfigError)) throw error;
    return undefined;
  }
}

/** For an instance that starts while the newest edit cannot be used. */
async function openLastGood(of: LiveConfigOf, state: State, tell: Tell): Promise<void> {
  try {
    const good = await of.kept.lastGood();
    if (!good) return;
    state.inForce = (await open(of, good.bytes)).opened;
    tell("config-changed", `the last good configuration, of ${good.modifiedAt}, is in force now`);
  } catch (error) {
    if (!(error instanceof KeptConfigError) && !isRefusal(error)) throw error;
    tell("config-unreadable", `The last good configuration cannot be used: ${error.message}`);
  }
}

/** What could not be kept now is kept after the next look. */
async function keep({ kept }: LiveConfigOf, state: State, tell: Tell): Promise<void> {
  if (!state.unkept) return;
  const { config, form } = state.unkept;
  try {
    await kept.keep(config);
    if (form !== undefined) await kept.keepForm(form);
    state.unkept = undefined;
  } catch (error) {
    if (!(error instanceof KeptConfigError)) throw error;
    tell("config-not-kept", error.message);
  }
}

function isRefusal(error: unknown): error is ConfigProblemsError | CheckTooCostlyError {
  return error instanceof ConfigProblemsError || error instanceof CheckTooCostlyError;
}

function refuseEdit(error: ConfigProblemsError | CheckTooCostlyError, edit: StoredConfig): Refusal {
  const said = error instanceof ConfigProblemsError ? firstProblems(error) : error.message;
  const message = `The configuration of ${edit.modifiedAt} is not in force, and the last good one stays in force: ${said}`;
  return { error, alarm: makeAlarm("config-refused", message, edit.modifiedAt, edit.etag) };
}

function firstProblems({ problems }: ConfigProblemsError): string {
  const told = problems.slice(0, mostToldProblems).map(formatProblem);
  const left = problems.length - told.length;
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join("; ");
}

/** What passes by itself raises no alarm; what stays raises one an hour. */
function unreadable(error: ConfigBlobError, now: Instant): Refusal {
  if (!error.isLasting) return { error };
  const message = `${error.message} The last good configuration stays in force.`;
  const thisHour = instantAt(Math.floor(Date.parse(now) / hour) * hour);
  return { error, alarm: makeAlarm("config-unreadable", message, thisHour, thisHour) };
}

/** All instances come to the same time and id, so that their alarms are one. */
function makeAlarm(kind: KnownAlarm["kind"], message: string, at: Instant, of: string): KnownAlarm {
  const id = createHash("sha256").update(`${kind} ${of}`).digest("hex").slice(0, 26);
  return { kind, message, at, id };
}
