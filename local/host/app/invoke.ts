import { randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { createHostLog, type Log, toErrorMessage } from "../log.ts";
import type {
  CoreInvocationContext,
  HookName,
  InvocationResponse,
  RegisteredFunction,
} from "./core-module.ts";
import type { App } from "./load-app.ts";
import { writeThroughHooks } from "./log-hooks.ts";
import type { RpcTypedData } from "./rpc-data.ts";

export interface Call {
  function: RegisteredFunction;
  /** The data of the trigger binding. */
  input: RpcTypedData;
  triggerMetadata?: Record<string, RpcTypedData>;
  /** Default: a new one. */
  invocationId?: string;
  /** The reason for the log, such as "This function was programmatically called …". */
  reason: string;
  traceParent?: string;
  traceState?: string;
}

export interface Invoker {
  /** Runs one function with its hooks and outputs. Rejects with the error that the function or a hook threw. */
  invoke(call: Call): Promise<InvocationResponse>;
  /** Resolves with true when no function runs any more, or with false after `limitMs`. */
  drained(limitMs: number): Promise<boolean>;
}

/** Sends the values of a function's output bindings. A failure fails the invocation. */
export type SendOutputs = (
  registered: RegisteredFunction,
  response: InvocationResponse,
) => Promise<void>;

export function createInvoker(options: { app: App; log: Log; sendOutputs: SendOutputs }): Invoker {
  const hostLog = createHostLog(options.log);
  const running = new Set<Promise<unknown>>();

  async function run(call: Call): Promise<InvocationResponse> {
    const name = call.function.metadata.name;
    const invocationId = call.invocationId ?? randomUUID();
    const about = { functionName: name, invocationId };
    const started = performance.now();
    const ended = (outcome: string) =>
      `Executed 'Functions.${name}' (${outcome}, Id=${invocationId}, ` +
      `Duration=${String(Math.round(performance.now() - started))}ms)`;
    hostLog("information", `Executing 'Functions.${name}' (Reason='${call.reason}')`, about);
    try {
      const response = await runOnce(options.app, options.log, call, invocationId);
      await options.sendOutputs(call.function, response);
      hostLog("information", ended("Succeeded"), about);
      return response;
    } catch (error) {
      hostLog("error", `${ended("Failed")}: ${toErrorMessage(error)}`, about);
      throw error;
    }
  }

  return {
    invoke(call) {
      const invocation = run(call);
      const settled = invocation.then(ignore, ignore);
      running.add(settled);
      void settled.then(() => running.delete(settled));
      return invocation;
    },
    async drained(limitMs) {
      const limit = Promise.withResolvers<false>();
      const timer = setTimeout(() => {
        limit.resolve(false);
      }, limitMs);
      const empty = async () => {
        while (running.size > 0) await Promise.all(running);
        return true;
      };
      try {
        return await Promise.race([empty(), limit.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const ignore = (): void => undefined;

async function runOnce(
  app: App,
  log: Log,
  call: Call,
  invocationId: string,
): Promise<InvocationResponse> {
  const hookData = {};
  const { appHookData } = app;
  const hooks = (name: HookName) => app.registrations.hooks[name];
  const runHooks = async (name: HookName, context: Record<string, unknown>) => {
    for (const hook of hooks(name)) await hook(context);
  };

  const core = coreContext(call, invocationId);
  const scope: { invocationContext?: object } = {};
  const about = { functionName: call.function.metadata.name, invocationId };
  core.log = (level, category, message) => {
    const context = { level, category, message, hookData, appHookData, ...scope };
    writeThroughHooks(hooks("log"), log, context, about);
  };

  const model = app.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  scope.invocationContext = context;

  core.state = "preInvocationHooks";
  const before = {
    hookData,
    appHookData,
    invocationContext: context,
    functionCallback: call.function.callback,
    inputs,
  };
  await runHooks("preInvocation", before);

  core.state = "invocation";
  const after: Record<string, unknown> = { hookData, appHookData, invocationContext: context };
  after["inputs"] = before.inputs;
  try {
    after["result"] = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after["error"] = error ?? new Error("The function threw an undefined value.");
  }

  core.state = "postInvocationHooks";
  await runHooks("postInvocation", after);
  delete core.state;
  const error = after["error"];
  if (error !== undefined && error !== null) throw toError(error);
  return model.getResponse(context, after["result"]);
}

const toError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(inspect(thrown), { cause: thrown });

function coreContext(call: Call, invocationId: string): CoreInvocationContext {
  const { metadata, id } = call.function;
  const trigger = findTrigger(call.function);
  return {
    invocationId,
    metadata,
    request: {
      invocationId,
      functionId: id,
      inputData: [{ name: trigger.name, data: call.input }],
      triggerMetadata: call.triggerMetadata ?? {},
      traceContext: {
        traceParent: call.traceParent ?? newTraceParent(),
        traceState: call.traceState ?? "",
        attributes: {},
      },
    },
    log: () => undefined,
  };
}

/** Finds the trigger, the binding whose type ends in "Trigger". */
export function findTrigger(registered: RegisteredFunction): { name: string; type: string } {
  for (const [name, binding] of Object.entries(registered.metadata.bindings)) {
    if (/trigger$/i.test(binding.type)) return { ...binding, name };
  }
  throw new Error(`The function "${registered.metadata.name}" has no trigger.`);
}

const newTraceParent = (): string =>
  `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-00`;
