import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type Log, toErrorMessage } from "../log.ts";
import {
  collectRegistrations,
  describeModel,
  type ProgrammingModel,
  type RegisteredFunction,
  type Registrations,
} from "./core-module.ts";
import { writeThroughHooks } from "./log-hooks.ts";

export interface App {
  directory: string;
  registrations: Registrations;
  functions: readonly RegisteredFunction[];
  model: ProgrammingModel;
  /** The address at which the library takes HTTP requests, if the app has switched HTTP streaming on. */
  httpUri: string | undefined;
  /** Shared by all hooks of the app. */
  appHookData: Record<string, unknown>;
  /** Shared by the appStart and appTerminate hooks. */
  lifeHookData: Record<string, unknown>;
}

/** The capabilities that the real worker reports; the library adds its own. */
const workerCapabilities = [
  "RawHttpBodyBytes",
  "RpcHttpTriggerMetadataRemoved",
  "RpcHttpBodyOnly",
  "IgnoreEmptyValuedRpcHttpHeaders",
  "UseNullableValueDictionaryForHttp",
  "WorkerStatus",
  "TypedDataCollection",
  "HandlesWorkerTerminateMessage",
];

const loaded = new Map<string, Promise<Registrations>>();

/**
 * Imports the files that match `main` of the app's package.json one after another, runs the appStart hooks and closes
 * registration. An exception in a file is fatal. Modules load once per process: a second call for the same app runs only the
 * hooks again.
 */
export async function loadApp(options: {
  directory: string;
  /** A file or glob relative to the app's folder, which replaces `main` of package.json. */
  main?: string;
  log: Log;
}): Promise<App> {
  const directory = path.resolve(options.directory);
  const main = options.main ?? (await readMain(directory));
  const registrations = await importOnce(directory, main);
  const appHookData = {};
  const lifeHookData = {};
  registrations.systemLog = (level, from, message) => {
    const category = from === "user" ? "user" : "system";
    const context = { level, category, message, hookData: lifeHookData, appHookData } as const;
    writeThroughHooks(registrations.hooks.log, options.log, { ...context }, {});
  };
  for (const hook of registrations.hooks.appStart) {
    await hook({ hookData: lifeHookData, appHookData, functionAppDirectory: directory });
  }
  registrations.locked = true;
  const model = describeModel(registrations);
  const functions = [...registrations.functions.values()];
  if (model === undefined || functions.length === 0) {
    throw new Error(`The files "${main}" in ${directory} register no function.`);
  }
  const httpUri = await closeSetup(model);
  return { httpUri, directory, registrations, functions, model, appHookData, lifeHookData };
}

export async function runTerminateHooks(app: App): Promise<void> {
  for (const hook of app.registrations.hooks.appTerminate) {
    await hook({ hookData: app.lifeHookData, appHookData: app.appHookData });
  }
}

async function importOnce(directory: string, main: string): Promise<Registrations> {
  const key = `${directory}\0${main}`;
  const known = loaded.get(key) ?? importFiles(directory, main);
  loaded.set(key, known);
  return known;
}

async function importFiles(directory: string, main: string): Promise<Registrations> {
  const files = globSync(main, { cwd: directory }).toSorted();
  if (files.length === 0) throw new Error(`No file in ${directory} matches "${main}".`);
  const registrations = collectRegistrations();
  for (const file of files) {
    const url = pathToFileURL(path.join(directory, file)).href;
    try {
      await import(/* @vite-ignore */ url);
    } catch (cause) {
      throw new Error(`Cannot load ${file} of the app: ${toErrorMessage(cause)}`, {
        cause,
      });
    }
  }
  return registrations;
}

async function readMain(directory: string): Promise<string> {
  const file = path.join(directory, "package.json");
  const parsed = z
    .looseObject({ main: z.string().min(1) })
    .safeParse(JSON.parse(await readFile(file, "utf8")));
  if (!parsed.success) throw new Error(`${file} has no "main". Set it to the files to load.`);
  return parsed.data.main;
}

/** The library starts its server once, however often an app is loaded. */
const httpUris = new WeakMap<ProgrammingModel, string>();

async function closeSetup(model: ProgrammingModel): Promise<string | undefined> {
  const known = httpUris.get(model);
  if (known !== undefined) return known;
  const defaults = Object.fromEntries(workerCapabilities.map((name) => [name, "true"]));
  const capabilities = await model.getCapabilities(defaults);
  const uri = capabilities["HttpUri"];
  if (uri !== undefined) httpUris.set(model, uri);
  return uri;
}
