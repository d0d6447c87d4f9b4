import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { endWithParent } from "../../../local/end-with-parent.ts";
import { findFreePort } from "../../../local/free-port.ts";
import { makeRunner } from "../../../local/postgres/runner.ts";
import type { Folder } from "./folder.ts";

export interface Launch {
  /** For messages. */
  readonly name: string;
  readonly folder: Folder;
  /** Returns the command line for this port, without the flags of a test. */
  command(port: number): readonly string[] | Promise<readonly string[]>;
  /** What the server prints when it is ready. It must accept connections as well: some print this shortly before they listen. */
  readonly ready: RegExp;
  /** Ends the server in good order, whatever its clients do. Default: SIGTERM. */
  readonly stopSignal?: "SIGQUIT";
  /** Flags of a test, after all others. */
  readonly flags?: readonly string[] | undefined;
  /** More flags for the very first start only. */
  readonly firstFlags?: readonly string[];
}

/** The process of one server, over all its restarts. */
export interface Launched {
  readonly port: number;
  readonly pid: number;
  /** Absolute path. */
  readonly folder: string;
  readonly logFile: string;
  readonly restart: (flags?: readonly string[]) => Promise<void>;
  readonly crash: () => Promise<void>;
  /** Stops the process and deletes the folder. Safe to repeat. */
  readonly stop: () => Promise<void>;
}

const maxAttempts = 20;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;

/** Starts a server on a free port. If it does not start, the error has the end of its log, and the folder is deleted. */
export async function launch(options: Launch): Promise<Launched> {
  const { folder, firstFlags = [], flags = [] } = options;
  const logFile = join(folder.path, "server.log");
  const discard = () => rm(folder.path, { recursive: true, force: true });
  let current: Started;
  try {
    current = await startOnFreePort(options, logFile, [...firstFlags, ...flags]);
  } catch (error) {
    await discard();
    throw error;
  }
  const { port } = current;
  return {
    port,
    get pid() {
      return current.child.pid ?? 0;
    },
    folder: folder.path,
    logFile,
    async restart(more = []) {
      await end(current.child, options.stopSignal ?? "SIGTERM");
      current = await start(options, logFile, port, [...flags, ...more]);
    },
    crash: () => end(current.child, "SIGKILL"),
    async stop() {
      // Nothing is worth saving, and an orderly stop of a replica set takes 15 s.
      await end(current.child, "SIGKILL");
      await discard();
    },
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startOnFreePort(
  options: Launch,
  logFile: string,
  flags: readonly string[],
): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options, logFile, await findFreePort(), flags);
    } catch (error) {
      // Another process may have taken the free port first.
      const taken = error instanceof Error && /address already in use/i.test(error.message);
      if (!taken || attempt === maxAttempts) throw error;
    }
  }
}

async function start(
  options: Launch,
  logFile: string,
  port: number,
  flags: readonly string[],
): Promise<Started> {
  const before = (await stat(logFile).catch(() => ({ size: 0 }))).size;
  const log = openSync(logFile, "a", 0o600);
  const [program = "", ...args] = await options.command(port);
  const [first, ...rest] = endWithParent([program, ...args, ...flags], "KILL");
  const child = spawn(first, rest, {
    ...makeRunner(),
    cwd: options.folder.path,
    // Its own process group, so that a terminal's Ctrl-C does not reach it.
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  let problem: string | undefined;
  child.once("error", ({ message }) => (problem = message));
  child.once("exit", (code, signal) => (problem ??= `it ended (${String(code ?? signal)})`));
  const printed = () => readFileSync(logFile).subarray(before).toString();
  const isReady = async () => options.ready.test(printed()) && (await accepts(port));
  for (const deadline = Date.now() + startTimeoutMs; !(await isReady());) {
    if (problem === undefined && Date.now() > deadline) problem = "it was not ready in time";
    if (problem !== undefined) {
      await end(child, "SIGKILL");
      const tail = printed().trim().split("\n").slice(-12).join("\n");
      throw new Error(`${options.name} did not start: ${problem}.\n${tail}`);
    }
    await wait(10);
  }
  return { child, port };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || hasExited(child)) return;
  const exited = once(child, "exit");
  child.kill(signal);
  // A server that a test has suspended gets the signal only when it continues.
  child.kill("SIGCONT");
  const late = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await exited;
  clearTimeout(late);
}

const hasExited = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;
