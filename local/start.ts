/** Keyturn on this machine, with everything it needs: `npm start`. */
import { fileURLToPath } from "node:url";
import { startEnvironment, type Environment } from "./environment.ts";
import { readArguments, usage, UsageError, type Arguments } from "./start/arguments.ts";
import { rotateOnce } from "./start/once.ts";
import { createShow, type Show } from "./start/show.ts";
import { tableOf } from "./start/table.ts";

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

/** The first signal asks, the second one no longer does. */
function listenForSignals(show: Show) {
  const stopping = new AbortController();
  const abandoning = new AbortController();
  const onSignal = (): void => {
    if (stopping.signal.aborted) {
      abandoning.abort();
      process.exit(130);
    }
    show.note("stopping …");
    stopping.abort(new Asked());
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return { signal: stopping.signal, abandon: abandoning.signal };
}

/** Resolves when a signal asks to stop; rejects when the environment cannot go on. */
async function keepRotating(env: Environment, show: Show, signal: AbortSignal): Promise<void> {
  show.goOn(env);
  const asked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
  await Promise.race([asked, failureOf(env)]);
}

async function showOnce(env: Environment, show: Show, signal: AbortSignal): Promise<void> {
  const rows = await Promise.race([rotateOnce(env, signal), failureOf(env)]);
  show.print(`\n${tableOf(rows)}\n`);
  show.print("Every new password logs in, and every superseded one is refused.");
}

async function failureOf(env: Environment): Promise<never> {
  throw new Error(await env.failed);
}

async function run({ once, data = defaultData, port, config }: Arguments): Promise<void> {
  const show = createShow();
  const { signal, abandon } = listenForSignals(show);
  try {
    const env = await startEnvironment({
      ...{ data, port, config, signal, abandon },
      // Once is once: the schedule would add rotations of its own.
      every: once ? "1h" : undefined,
      onEvent: show.event,
      onNote: show.note,
    });
    show.header(env);
    try {
      if (once) await showOnce(env, show, signal);
      else await keepRotating(env, show, signal);
    } finally {
      await env.close();
      show.summary(env);
    }
  } catch (error) {
    if (!(error instanceof Asked)) throw error;
    // A rotation that was asked for and not made is no success.
    if (once) process.exitCode = 1;
  } finally {
    await show.finish();
  }
}

const given = readOrExplain();
if (given?.help === true) console.log(usage);
else if (given !== undefined) {
  try {
    await run(given);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
  // Whatever a client keeps open must not keep us.
  process.exit();
}
