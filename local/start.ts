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
import { seeds } from "./start/demo/seeds.ts";
import { readTargets } from "./start/demo/targets.ts";

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
 * The first signal stops everything in order; a second one exits at once. An uncaught failure, such as output that cannot be
 * written, also stops everything in order.
 */
function listenForStop(show: Show): AbortSignal {
  const stopping = new AbortController();
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(130);
    show.note("stopping …");
    stopping.abort(new StopRequest());
  };
  const onFailure = (error: Error): void => {
    stopping.abort(new Error(`Keyturn stopped because of an error: ${error.message}`));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  process.on("uncaughtException", onFailure);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // EPIPE: a reader such as `head` closed the pipe, which is a request to stop.
    if (error.code === "EPIPE") stopping.abort(new StopRequest());
    else onFailure(error);
  });
  return stopping.signal;
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
  // A configuration with problems is refused before anything starts.
  const targets = config === undefined ? seeds : (await readTargets(config)).targets;
  const show = createShow(targets);
  const signal = listenForStop(show);
  try {
    const env = await startEnvironment({
      ...{ data, port, config, signal },
      // A short schedule would add rotations during `--once`.
      every: once ? "1h" : undefined,
      onEvent: (event) => {
        show.event(event);
      },
      onNote: (note) => {
        show.note(note);
      },
    });
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
function formatFailure(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return process.stderr.isTTY ? wrapText(text, measureTerminal(process.stderr)) : text;
}

const given = readOrExplain();
if (given?.help === true) console.log(usage);
else if (given !== undefined) {
  try {
    await run(given);
  } catch (error) {
    console.error(formatFailure(error));
    process.exitCode = 1;
  }
  // Connections that a client library keeps open must not keep the process alive.
  process.exit();
}
