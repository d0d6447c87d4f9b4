import { availableParallelism } from "node:os";
import { z } from "zod";

/** App settings by name: what environment variables are on Azure. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** Replaces every `%NAME%` by the app setting of that name. Throws when one is missing. */
export function resolvePlaceholders(text: string, settings: Settings): string {
  return text.replace(/%([^%\s]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined || value === "") {
      throw new Error(`The app setting "${name}" is missing; it is needed to resolve "${text}".`);
    }
    return value;
  });
}

/**
 * The storage connection string behind a binding's `connection`. As on Azure, `AzureWebJobs<name>` is
 * tried before `<name>`, and no name means the host's own storage.
 */
export function resolveConnection(connection: string | undefined, settings: Settings): string {
  const name = connection === undefined || connection === "" ? "AzureWebJobsStorage" : connection;
  const value = settings[`AzureWebJobs${name}`] ?? settings[name];
  if (value !== undefined && value !== "") return value;
  const identity = Object.keys(settings).find((key) => key.startsWith(`${name}__`));
  if (identity !== undefined) {
    throw new Error(
      `The connection "${name}" is identity-based (${identity}). The local host supports connection ` +
        `strings only: set "${name}" to one.`,
    );
  }
  throw new Error(`The app setting "${name}" is missing; it names a storage connection string.`);
}

/** .NET TimeSpan text, `[d.]hh:mm:ss[.fff]`, as milliseconds. */
const timeSpan = z.string().transform((text, issues) => {
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d+)?)?$/.exec(text);
  if (match === null) {
    issues.addIssue({ code: "custom", message: `"${text}" is not a time span like "00:00:30"` });
    return z.NEVER;
  }
  const [, days = "0", hours, minutes, seconds = "0", fraction = "0"] = match;
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return Math.round((whole + Number(fraction)) * 1000);
});

const count = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().int().min(minimum).max(maximum);

const queueOptions = z
  .looseObject({
    batchSize: count(1, 32).default(16),
    newBatchThreshold: count(0).optional(),
    maxDequeueCount: count(1).default(5),
    visibilityTimeout: timeSpan.prefault("00:00:00"),
    // The Azure default is one minute; like Core Tools, a developer's machine polls more eagerly.
    maxPollingInterval: timeSpan.prefault("00:00:02"),
    messageEncoding: z.enum(["base64", "none"]).default("base64"),
  })
  .transform((queues) => ({
    ...queues,
    newBatchThreshold:
      queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2) * availableParallelism(),
    maxPollingInterval: Math.max(100, queues.maxPollingInterval),
  }));

const hostJson = z.looseObject({
  version: z.literal("2.0"),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().default("api") }).prefault({}),
      queues: queueOptions.prefault({}),
    })
    .prefault({}),
});

/** host.json with every default filled in. Durations are milliseconds. */
export type HostJson = z.output<typeof hostJson>;
export type QueueOptions = HostJson["extensions"]["queues"];

/**
 * Reads the text of host.json; app settings named `AzureFunctionsJobHost__a__b` override its values.
 * Throws naming every field that is wrong.
 */
export function parseHostJson(text: string, settings: Settings): HostJson {
  const parsed = hostJson.safeParse(withOverrides(readJson(text), settings));
  if (!parsed.success) throw new Error(`host.json is not valid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error("host.json is not JSON.", { cause });
  }
}

const overridePrefix = "azurefunctionsjobhost__";

function withOverrides(host: unknown, settings: Settings): unknown {
  let result = host;
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !name.toLowerCase().startsWith(overridePrefix)) continue;
    result = replaceAt(result, name.slice(overridePrefix.length).split("__"), value);
  }
  return result;
}

function replaceAt(node: unknown, path: readonly string[], value: string): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  const fields = z.record(z.string(), z.unknown()).safeParse(node);
  const object = fields.success ? fields.data : {};
  const known = Object.keys(object).find((key) => key.toLowerCase() === head.toLowerCase());
  const key = known ?? head.charAt(0).toLowerCase() + head.slice(1);
  return { ...object, [key]: replaceAt(object[key], rest, value) };
}
