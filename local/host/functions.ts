import type { Binding, RegisteredFunction } from "./app/core-module.ts";
import { findTrigger } from "./app/invoke.ts";
import type { HostJson, Settings } from "./host-json.ts";
import { type HttpFunction, readHttpFunction } from "./http/http-functions.ts";
import { toErrorMessage } from "./log.ts";
import { type QueueFunction, readQueueFunction } from "./queues/queue-functions.ts";
import { readTimerFunction, type TimerFunction } from "./timers/timers.ts";

/** The functions of an app, by trigger. */
export interface AppFunctions {
  all: readonly RegisteredFunction[];
  http: HttpFunction[];
  timers: TimerFunction[];
  queues: QueueFunction[];
  eventGrid: RegisteredFunction[];
}

/** One function as the host presents it. */
export interface FunctionInfo {
  name: string;
  trigger: string;
  /** For HTTP and Event Grid functions: the URL to call, without a key. */
  url?: string;
  methods?: readonly string[];
  authLevel?: "anonymous" | "function" | "admin";
  /** NCRONTAB, with app settings filled in. */
  schedule?: string;
  queueName?: string;
}

/** Sorts the functions by trigger. Throws an error that lists every unsupported function with the reason. */
export function readFunctions(
  all: readonly RegisteredFunction[],
  host: HostJson,
  settings: Settings,
): AppFunctions {
  const result: AppFunctions = { all, http: [], timers: [], queues: [], eventGrid: [] };
  const { routePrefix } = host.extensions.http;
  const readers: Readonly<Record<string, (registered: RegisteredFunction) => unknown>> = {
    httptrigger: (it) => result.http.push(readHttpFunction(it, routePrefix, settings)),
    timertrigger: (it) => result.timers.push(readTimerFunction(it, settings)),
    queuetrigger: (it) => result.queues.push(readQueueFunction(it, settings)),
    eventgridtrigger: (it) => result.eventGrid.push(it),
    // On Azure, a warmup trigger runs when an instance is added, which never happens here. It can be started by hand.
    warmuptrigger: () => undefined,
  };
  const problems = all.flatMap((registered) => {
    try {
      refuseBindings(Object.entries(registered.metadata.bindings));
      const type = findTrigger(registered).type;
      const read = readers[type.toLowerCase()];
      if (read === undefined) throw new Error(`The trigger "${type}" is not supported.`);
      read(registered);
      return [];
    } catch (error) {
      return [`${registered.metadata.name}: ${toErrorMessage(error)}`];
    }
  });
  if (problems.length > 0) {
    throw new Error(`The local host cannot run these functions:\n${problems.join("\n")}`);
  }
  return result;
}

function refuseBindings(bindings: readonly [string, Binding][]): void {
  for (const [name, { type, direction }] of bindings) {
    const kind = type.toLowerCase();
    const isOutput = direction === "out" && (kind === "queue" || kind === "http");
    if (!isOutput && !kind.endsWith("trigger")) {
      throw new Error(`The ${direction === "in" ? "input" : "output"} "${name}" is not supported.`);
    }
  }
}

export function describeFunctions(functions: AppFunctions, url: string): FunctionInfo[] {
  return functions.all.map((registered) => {
    const { name } = registered.metadata;
    const own = { name, trigger: findTrigger(registered).type };
    const http = functions.http.find((it) => it.registered === registered);
    if (http !== undefined) {
      const { methods, authLevel, path } = http;
      return { ...own, url: `${url}/${path}`, methods, authLevel };
    }
    if (functions.eventGrid.includes(registered)) {
      return { ...own, url: eventGridUrl(url, name) };
    }
    const timer = functions.timers.find((it) => it.registered === registered);
    if (timer !== undefined) return { ...own, schedule: timer.text };
    const queue = functions.queues.find((it) => it.registered === registered);
    return queue === undefined ? own : { ...own, queueName: queue.queueName };
  });
}

const eventGridUrl = (url: string, name: string) =>
  `${url}/runtime/webhooks/EventGrid?functionName=${encodeURIComponent(name)}`;

/** The line that the host logs for one function, like the list that Core Tools print. */
export function describeFunction(info: FunctionInfo): string {
  const where = info.methods === undefined ? "" : `[${info.methods.join(",")}] `;
  const what = info.url ?? info.schedule ?? info.queueName ?? "";
  return `${info.name}: ${info.trigger} ${where}${what}`.trimEnd();
}
