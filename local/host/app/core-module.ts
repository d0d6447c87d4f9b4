import Module from "node:module";
import type { LogLevel } from "../log.ts";
import type { Received, RpcTypedData } from "./rpc-data.ts";

export interface Binding {
  name: string;
  type: string;
  direction: "in" | "out";
  /** The options of the trigger, input or output, as the app gave them. */
  [option: string]: unknown;
}

export interface FunctionMetadata {
  name: string;
  functionId?: string;
  bindings: Record<string, Binding>;
  retryOptions?: unknown;
}

export type FunctionCallback = (...inputs: unknown[]) => unknown;

export interface RegisteredFunction {
  id: string;
  metadata: FunctionMetadata;
  callback: FunctionCallback;
}

export type HookCallback = (context: Record<string, unknown>) => unknown;

export interface CoreInvocationContext {
  invocationId: string;
  request: InvocationRequest;
  metadata: FunctionMetadata;
  state?: "preInvocationHooks" | "invocation" | "postInvocationHooks";
  log(level: LogLevel, category: "user" | "system", message: string): void;
}

export interface InvocationRequest {
  invocationId: string;
  functionId: string;
  inputData: { name: string; data: RpcTypedData }[];
  triggerMetadata: Record<string, RpcTypedData>;
  traceContext: { traceParent: string; traceState: string; attributes: Record<string, string> };
  retryContext?: { retryCount: number; maxRetryCount: number };
}

export interface InvocationResponse {
  invocationId: string;
  outputData: { name: string; data: RpcTypedData }[];
  returnValue?: Received;
}

interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(defaults: Record<string, string>): Promise<Record<string, string>>;
}

const hookNames = ["preInvocation", "postInvocation", "appStart", "appTerminate", "log"] as const;
export type HookName = (typeof hookNames)[number];

/** Everything that one app has registered. */
export interface Registrations {
  functions: Map<string, RegisteredFunction>;
  hooks: Record<HookName, HookCallback[]>;
  /** After this, functions can no longer be registered. */
  locked: boolean;
  model: ProgrammingModel | undefined;
  /** Receives the lines that the library logs outside an invocation. */
  systemLog: (level: LogLevel, category: string, message: string) => void;
}

let current: Registrations | undefined;
let installed = false;
// Each loaded copy of the library hands over its model once, so a second app that shares the copy never hands it over.
let lastModel: ProgrammingModel | undefined;

/**
 * Provides `@azure/functions-core` in this process and collects later registrations in the returned object. Call it before
 * importing the app: the library looks for the module once, and silently registers nothing when it is missing.
 */
export function collectRegistrations(): Registrations {
  install();
  current = {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [] },
    locked: false,
    model: undefined,
    systemLog: () => undefined,
  };
  return current;
}

/** Returns the model that invokes the functions of `registrations`. */
export const describeModel = (registrations: Registrations): ProgrammingModel | undefined =>
  registrations.model ?? lastModel;

function install(): void {
  if (installed) return;
  installed = true;
  const prototype: { require: (this: unknown, id: string) => unknown } = Module.prototype;
  const original = prototype.require;
  prototype.require = function require(id) {
    return id === "@azure/functions-core" ? coreModule : original.call(this, id);
  };
}

function app(): Registrations {
  if (current === undefined) throw systemError(Error, "No function app is being hosted.");
  return current;
}

class Disposable {
  static from(...items: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const item of items) item.dispose();
    });
  }

  #dispose: (() => void) | undefined;

  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }

  dispose(): void {
    this.#dispose?.();
    this.#dispose = undefined;
  }
}

const coreModule = {
  version: "3.9.1",
  hostVersion: "4.1041.0",
  Disposable,
  registerFunction,
  registerHook,
  setProgrammingModel(model: ProgrammingModel): void {
    lastModel = model;
    app().model = model;
  },
  getProgrammingModel: (): ProgrammingModel | undefined => describeModel(app()),
  log(level: LogLevel, category: string, message: string): void {
    current?.systemLog(level, category, message);
  },
};

function registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  const { functions, locked } = app();
  const id = metadata.functionId ?? metadata.name;
  if (locked) {
    throw systemError(
      Error,
      `A function can only be registered during app startup ("${metadata.name}").`,
    );
  }
  if (functions.has(id)) {
    throw systemError(Error, `A function named "${metadata.name}" is already registered.`);
  }
  functions.set(id, { id, metadata, callback });
  return new Disposable(() => functions.delete(id));
}

function registerHook(name: string, callback: HookCallback): Disposable {
  const known = hookNames.find((hook) => hook === name);
  if (known === undefined) throw systemError(RangeError, `Unrecognized hook "${name}"`);
  const callbacks = app().hooks[known];
  callbacks.push(callback);
  return new Disposable(() => {
    const index = callbacks.indexOf(callback);
    if (index >= 0) callbacks.splice(index, 1);
  });
}

/** Marks an error as one of the platform; the library treats others as errors of the user. */
function systemError(kind: ErrorConstructor | RangeErrorConstructor, message: string): Error {
  return Object.assign(new kind(message), { isAzureFunctionsSystemError: true });
}
