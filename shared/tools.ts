import { resolve } from "node:path";
import type { TokenCredential } from "@azure/identity";
import type { Config } from "./config/config.ts";
import { writeForm } from "./config/form/write-form.ts";
import { loadConfigFrom } from "./config/load.ts";
import { makeJsonSchema } from "./config/schema/definition.ts";
import { readFiles, type SourceFiles } from "./config/yaml/read.ts";
import { ConfigError } from "./core/errors.ts";
import type { Instant } from "./core/time.ts";
import { makeOutline, type Outline } from "./outline.ts";
import { type PlanAnswer, planFiles, type PlanQuestion } from "./planning.ts";
import { knownModules, listOwnRotators, modulesIn } from "./rotators/own/modules.ts";
import { makeRotators } from "./rotators/registry.ts";

const builtIn = makeRotators({
  getToken: () =>
    Promise.reject(new ConfigError("Bug: the check of a configuration requested an Azure token")),
});

/** The identity of this process, for log-ins. A check of a configuration does not load the SDK. */
const identity: TokenCredential = {
  getToken: async (...request) => (await openIdentity()).getToken(...request),
};

let opened: Promise<TokenCredential> | undefined;

function openIdentity(): Promise<TokenCredential> {
  return (opened ??= import("./connections.ts").then(({ makeAzureCredential }) =>
    makeAzureCredential(process.env, process.env["AZURE_CLIENT_ID"]),
  ));
}

/** Checks files that have already been read. Throws ConfigProblemsError. */
export function checkFiles(files: SourceFiles, now?: Instant): Promise<Config> {
  return loadConfigFrom(files, {
    rotators: builtIn,
    openModule: modulesIn(files.folder),
    ...(now !== undefined && { now }),
  });
}

/** Does the same for the content of a blob, which can name only modules that this app has. */
export function checkBlob(files: SourceFiles): Promise<Config> {
  return loadConfigFrom(files, { rotators: builtIn, openModule: knownModules() });
}

/** Every kind of system that this process can use, after a check of the configuration that names modules. */
const listRotators = () => [...builtIn, ...listOwnRotators()];

const checkPath = async (path: string, now?: Instant): Promise<Config> =>
  checkFiles(await readFiles(path), now);

/** See `planConfig` of the app. */
export function planConfig(
  question: PlanQuestion,
  root: string,
  now: Instant = new Date().toISOString(),
): Promise<PlanAnswer> {
  return planFiles(question, {
    now,
    load: (path) => checkPath(resolve(root, path), now),
    serverOf: ({ type, options }) => {
      const rotator = listRotators().find((one) => one.type === type);
      if (rotator === undefined) throw new ConfigError(`Bug: no rotator has the type ${type}`);
      return rotator.endpoint(options).host;
    },
  });
}

/** See `checkConfig` of the app. */
export async function checkConfig(path: string, root: string): Promise<Outline> {
  const config = await checkPath(resolve(root, path));
  return makeOutline(config, [...makeRotators(identity), ...listOwnRotators()]);
}

/** See `isBuiltIn` of the app. */
export const isBuiltIn = (type: string): boolean => builtIn.some((one) => one.type === type);

/** See `writeSchema` of the app. */
export async function writeSchema(path: string | undefined, root: string): Promise<string> {
  if (path !== undefined) await checkPath(resolve(root, path));
  return JSON.stringify(makeJsonSchema(listRotators()), undefined, 2);
}

/** See `writeCheckedForm` of the app. */
export function writeCheckedForm(
  { files, folder }: SourceFiles,
  build: string,
): Promise<string | undefined> {
  return writeForm(files, build, { rotators: builtIn, openModule: modulesIn(folder) });
}
