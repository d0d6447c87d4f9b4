import { readFile } from "node:fs/promises";
import path from "node:path";
import { answerAdmin } from "./admin.ts";
import { createInvoker, type Invoker } from "./app/invoke.ts";
import { type App, loadApp, runTerminateHooks } from "./app/load-app.ts";
import { answerEventGrid, eventGridPath } from "./event-grid-webhook.ts";
import {
  type AppFunctions,
  describeFunction,
  describeFunctions,
  type FunctionInfo,
  readFunctions,
} from "./functions.ts";
import { type HostJson, parseHostJson, type Settings } from "./host-json.ts";
import { type HttpCall, type HttpReply, type HttpServer, serveHttp } from "./http/http.ts";
import { answerFunction, makeHttpRoutes } from "./http/http-functions.ts";
import { type Keys, loadKeys } from "./http/keys.ts";
import { createHostLog, type HostLog, type Log, toErrorMessage } from "./log.ts";
import { createOutputs } from "./queues/outputs.ts";
import { type QueuePoller, startPoller } from "./queues/queues.ts";
import { startTimer, type Timer } from "./timers/timers.ts";

export interface HostOptions {
  /** Folder of the app, with host.json and package.json. `main` in package.json selects the files to load. */
  appDirectory: string;
  /** A file or glob relative to `appDirectory`, which replaces `main` of package.json. */
  main?: string;
  /** App settings, for connections and `%NAME%`. The functions themselves read `process.env`. */
  settings: Settings;
  /** Loopback port. Default: 0, a free port. */
  port?: number;
  /** File that keeps the access keys between runs. */
  keysFile?: string;
  /** Folder where timers keep their last run, so that a missed run is made up for after a restart. */
  statusDirectory?: string;
  /** Connection string used as the setting `AzureWebJobsStorage`. */
  storageConnection?: string;
  /** Bytes. A request with a longer body gets 413. Default: 100 MB, as on Azure. */
  maximumBody?: number;
  /**
   * How long a message stays invisible if this process dies while handling it. The lease is renewed when half of it is over.
   * Default: 30 s, so that work resumes soon after a kill. The Azure host uses 10 minutes.
   */
  leaseSeconds?: number;
  /** How long `close` waits for running functions. Default: 30 s. */
  closeLimitMs?: number;
  log: Log;
}

export interface FunctionsHost {
  /** `http://127.0.0.1:<port>`. */
  url: string;
  keys: Keys;
  functions: readonly FunctionInfo[];
  /** Stops accepting work, waits for running functions, then runs the appTerminate hooks. */
  close(): Promise<void>;
}

/**
 * Runs a function app with the real `@azure/functions` library, as the Azure host does on one instance. A process can host only
 * one app, because modules load, and register their functions, only once.
 */
export async function startHost(options: HostOptions): Promise<FunctionsHost> {
  const log = createHostLog(options.log);
  const settings = withStorage(options);
  const text = await readFile(path.join(options.appDirectory, "host.json"), "utf8");
  const hostJson = parseHostJson(text, settings);
  const app = await loadApp({
    directory: options.appDirectory,
    log: options.log,
    ...(options.main === undefined ? {} : { main: options.main }),
  });
  const functions = readFunctions(app.functions, hostJson, settings);
  const names = app.functions.map(({ metadata }) => metadata.name);
  const keys = await loadKeys(options.keysFile, names);
  const invoker = createInvoker({
    app,
    log: options.log,
    sendOutputs: createOutputs({
      functions: app.functions,
      settings,
      queues: hostJson.extensions.queues,
    }),
  });
  const server = await serveHttp({
    port: options.port ?? 0,
    maximumBody: options.maximumBody ?? 100 * 1024 * 1024,
    answer: createAnswer({ functions, keys, invoker, httpUri: app.httpUri }),
    log,
  });
  const parts: Parts = { app, invoker, server, pollers: [], timers: [], log };
  const close = () => closeParts(parts, options.closeLimitMs ?? 30_000);
  try {
    await startListeners(parts, functions, hostJson, options);
  } catch (error) {
    await close();
    throw error;
  }
  const list = describeFunctions(functions, server.url);
  for (const info of list) {
    log("information", describeFunction(info), { functionName: info.name });
  }
  for (const { metadata } of app.functions.filter((it) => it.metadata.retryOptions !== undefined)) {
    const about = { functionName: metadata.name };
    log(
      "warning",
      "The local host ignores the retry policy of this function and runs it once.",
      about,
    );
  }
  let closed: Promise<void> | undefined;
  return { url: server.url, keys, functions: list, close: () => (closed ??= close()) };
}

interface Parts {
  app: App;
  invoker: Invoker;
  server: HttpServer;
  pollers: QueuePoller[];
  timers: Timer[];
  log: HostLog;
}

const withStorage = ({ settings, storageConnection }: HostOptions): Settings =>
  storageConnection === undefined
    ? settings
    : { ...settings, AzureWebJobsStorage: storageConnection };

function createAnswer(host: {
  functions: AppFunctions;
  keys: Keys;
  invoker: Invoker;
  httpUri: string | undefined;
}): (call: HttpCall) => Promise<HttpReply> {
  const { functions, keys, invoker, httpUri } = host;
  const routes = makeHttpRoutes(functions.http);
  const started = new Date();
  return (call) => {
    const lower = call.path.toLowerCase();
    if (lower === eventGridPath) {
      return answerEventGrid(call, { functions: functions.eventGrid, keys, invoker });
    }
    if (lower.startsWith("/admin/")) {
      const reply = answerAdmin(call, { id: "local", started, functions, keys, invoker });
      return Promise.resolve(reply);
    }
    return answerFunction(call, { routes, keys, invoker, httpUri });
  };
}

async function startListeners(
  parts: Parts,
  functions: AppFunctions,
  hostJson: HostJson,
  options: HostOptions,
): Promise<void> {
  const { invoker, log } = parts;
  const { queues } = hostJson.extensions;
  const leaseSeconds = options.leaseSeconds ?? 30;
  for (const subject of functions.queues) {
    parts.pollers.push(await startPoller(subject, { invoker, queues, leaseSeconds, log }));
  }
  const { statusDirectory } = options;
  for (const timer of functions.timers) {
    parts.timers.push(await startTimer(timer, { invoker, statusDirectory, log }));
  }
}

async function closeParts(parts: Parts, limitMs: number): Promise<void> {
  const { app, invoker, server, pollers, timers, log } = parts;
  const ending = Promise.all([
    server.close(),
    ...timers.map((timer) => timer.stop()),
    ...pollers.map((poller) => poller.stop()),
  ]);
  const started = performance.now();
  if (await invoker.drained(limitMs)) {
    await withinLimit(ending, Math.max(1_000, limitMs - (performance.now() - started)));
  } else {
    log("warning", `Stopping although functions still run after ${limitMs} ms.`);
  }
  server.abort();
  try {
    await runTerminateHooks(app);
  } catch (error) {
    log("error", `An appTerminate hook failed: ${toErrorMessage(error)}`);
  }
}

async function withinLimit(work: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = Promise.withResolvers<undefined>();
  const timer = setTimeout(limit.resolve, limitMs, undefined);
  await Promise.race([work, limit.promise]);
  clearTimeout(timer);
}
