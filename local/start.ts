/** Keyturn on this machine, with everything it needs: `npm start`. */
import { fileURLToPath } from "node:url";
import { type Environment, startEnvironment } from "./environment.ts";
import { type Arguments, readArguments, usage, UsageError } from "./start/console/arguments.ts";
import { rotateOnce } from "./start/console/once.ts";
import { createShow, type Show } from "./start/console/show.ts";
import { formatTable } from "./start/console/table.ts";
import { shownTargets } from "./start/console/watched.ts";
import { terminalWidth, wrapText } from "./start/console/wrap.ts";
import { describeChildFailure } from "./start/environment/failure.ts";

const defaultData = fileURLToPath(new URL("../.keyturn", import.meta.url));

/** Why a person or the system wants us to stop. */
class Asked extends Error {}

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
 * The first signal asks, the second one no longer does. A failure that nobody waits for, such as a log that cannot be written,
 * ends everything too: as an uncaught one it would leave PostgreSQL behind.
 */
function listenForEnds(show: Show) {
  const stopping = new AbortController();
  const abandoning = new AbortController();
  let isUp = false;
  const onSignal = (): void => {
    if (stopping.signal.aborted) {
      abandoning.abort();
      process.exit(130);
    }
    show.note("stopping …");
    stopping.abort(new Asked());
  };
  const onFailure = (error: Error): void => {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error(`Keyturn had to stop: ${error.message}`));
    // A start that waits for what can no longer come fails when its children end.
    if (!isUp) abandoning.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  process.on("uncaughtException", onFailure);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader such as `head` has seen enough.
    if (error.code !== "EPIPE") onFailure(error);
    else if (!stopping.signal.aborted) stopping.abort(new Asked());
  });
  return {
    signal: stopping.signal,
    abandon: abandoning.signal,
    isUp: () => (isUp = true),
  };
}

/** Rejects: with Asked when a signal asks to stop, otherwise because the environment cannot go on. */
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
  const { targets } = await shownTargets(config);
  const show = createShow(targets);
  const { signal, abandon, isUp } = listenForEnds(show);
  try {
    const env = await startEnvironment({
      ...{ data, port, config, signal, abandon },
      // Once is once: the schedule would add rotations of its own.
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
    // That somebody asked to stop explains no failure to do so.
    const failure = failures.find((one) => !(one instanceof Asked)) ?? failures[0];
    if (failure !== undefined) throw failure;
  } catch (error) {
    // A start that was ended by a failure says only what came of that.
    const isCause = signal.aborted && !(signal.reason instanceof Asked);
    const reason: unknown = isCause ? signal.reason : error;
    if (!(reason instanceof Asked)) throw reason;
    // A rotation that was asked for and not made is no success.
    if (once) process.exitCode = 1;
  } finally {
    await show.finish();
  }
}

/** Takes each step, whatever came of those before it. */
async function listFailures(steps: readonly (() => Promise<void>)[]): Promise<Error[]> {
  const failures: Error[] = [];
  for (const step of steps) {
    await step().catch((error: unknown) => {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    });
  }
  return failures;
}

/** Wrapped for a person only: a program may look for a line of it. */
async function inWords(error: unknown, data: string): Promise<string> {
  const text = await describeChildFailure(error, data);
  return process.stderr.isTTY ? wrapText(text, terminalWidth(process.stderr)) : text;
}

const given = readOrExplain();
if (given?.help === true) console.log(usage);
else if (given !== undefined) {
  try {
    await run(given);
  } catch (error) {
    console.error(await inWords(error, given.data ?? defaultData));
    process.exitCode = 1;
  }
  // Whatever a client keeps open must not keep us.
  process.exit();
}
