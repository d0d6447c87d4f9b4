/** Keyturn on this machine, with everything it needs: `npm start`. */
import { fileURLToPath } from "node:url";
import { type Environment, startEnvironment } from "./environment.ts";
import { rotateOnce } from "./start/console/once.ts";
import { createShow, type Show } from "./start/console/show.ts";
import {
  type Arguments,
  readArguments,
  usage,
  UsageError,
} from "./start/console/start-arguments.ts";
import { formatTable, measureTerminal, wrapText } from "./start/console/text.ts";
import { listShownTargets } from "./start/console/watched.ts";
import { describeChildFailure } from "./start/environment/child.ts";

const defaultData = fileURLToPath(new URL("../.keyturn", import.meta.url));

/** A person or the system asked this program to stop. */
class StopRequest extends Error {}

function readOrExplain(): Arguments | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/**
 * The first signal stops everything in order; a second one exits at once. An uncaught failure, such as a log that cannot be
 * written, also stops everything in order, because a crash would leave PostgreSQL running.
 */
function listenForStop(show: Show) {
  const stopping = new AbortController();
  const abandoning = new AbortController();
  let isUp = false;
  const onSignal = (): void => {
    if (stopping.signal.aborted) {
      abandoning.abort();
      process.exit(130);
    }
    show.note("stopping …");
    stopping.abort(new StopRequest());
  };
  const onFailure = (error: Error): void => {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error(`Keyturn stopped because of an error: ${error.message}`));
    // Ending the children makes a start that still waits for them fail.
    if (!isUp) abandoning.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  process.on("uncaughtException", onFailure);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // EPIPE: a reader such as `head` closed the pipe, which is a request to stop.
    if (error.code !== "EPIPE") onFailure(error);
    else if (!stopping.signal.aborted) stopping.abort(new StopRequest());
  });
  return {
    signal: stopping.signal,
    abandon: abandoning.signal,
    isUp: () => (isUp = true),
  };
}

/** Rejects with StopRequest after a signal, and with another error when the environment fails. */
async function keepRotating(env: Environment, show: Show, signal: AbortSignal): Promise<void> {
  show.goOn(env);
  const stopped = Promise.withResolvers<never>();
  const stop = () => {
    stopped.reject(signal.reason as Error);
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  await Promise.race([stopped.promise, describeFailure(env)]);
}

async function showOnce(env: Environment, show: Show, signal: AbortSignal): Promise<void> {
  const { rows, problems, proven } = await Promise.race([
    rotateOnce(env, signal),
    describeFailure(env),
  ]);
  show.print(`\n${formatTable(rows)}\n`);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  show.print(proven);
}

async function describeFailure(env: Environment): Promise<never> {
  throw new Error(await env.failed);
}

async function run({ once, data = defaultData, port, config }: Arguments): Promise<void> {
  const { targets } = await listShownTargets(config);
  const show = createShow(targets);
  const { signal, abandon, isUp } = listenForStop(show);
  try {
    const env = await startEnvironment({
      ...{ data, port, config, signal, abandon },
      // A short schedule would add rotations during `--once`.
      every: once ? "1h" : undefined,
      onEvent: show.event,
      onNote: show.note,
    });
    isUp();
    show.header(env);
    const failures = await listFailures([
      () => (once ? showOnce(env, show, signal) : keepRotating(env, show, signal)),
      () => env.close(),
    ]);
    show.summary(env);
    // A failure while stopping matters more than the request to stop.
    const failure = failures.find((one) => !(one instanceof StopRequest)) ?? failures[0];
    if (failure !== undefined) throw failure;
  } catch (error) {
    // When an earlier failure aborted the start, report it instead of its consequences.
    const isCause = signal.aborted && !(signal.reason instanceof StopRequest);
    const reason: unknown = isCause ? signal.reason : error;
    if (!(reason instanceof StopRequest)) throw reason;
    // With `--once`, a stop before the rotations ended is not a success.
    if (once) process.exitCode = 1;
  } finally {
    await show.finish();
  }
}

/** Runs each step, also after a step that fails, and returns the failures. */
async function listFailures(steps: readonly (() => Promise<void>)[]): Promise<Error[]> {
  const failures: Error[] = [];
  for (const step of steps) {
    await step().catch((error: unknown) => {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    });
  }
  return failures;
}

/** Wraps the text for a terminal only: a program that reads it may search for a whole line. */
async function formatFailure(error: unknown, data: string): Promise<string> {
  const text = await describeChildFailure(error, data);
  return process.stderr.isTTY ? wrapText(text, measureTerminal(process.stderr)) : text;
}

const given = readOrExplain();
if (given?.help === true) console.log(usage);
else if (given !== undefined) {
  try {
    await run(given);
  } catch (error) {
    console.error(await formatFailure(error, given.data ?? defaultData));
    process.exitCode = 1;
  }
  // Connections that a client library keeps open must not keep the process alive.
  process.exit();
}
