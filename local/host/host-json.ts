import { availableParallelism } from "node:os";
import { z } from "zod";

/** App settings by name; on Azure they are environment variables. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** Replaces every `%NAME%` with the app setting of that name. Throws when a setting is missing. */
export function resolvePlaceholders(text: string, settings: Settings): string {
  return text.replace(/%([^%\s]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined || value === "") {
      throw new Error(`App setting "${name}" is missing. "${text}" needs it.`);
    }
    return value;
  });
}

/**
 * Returns the storage connection string that a binding's `connection` names. As on Azure, `AzureWebJobs<name>` takes precedence
 * over `<name>`, and without a name the host's own storage is used.
 */
export function resolveConnection(connection: string | undefined, settings: Settings): string {
  const name = connection === undefined || connection === "" ? "AzureWebJobsStorage" : connection;
  const value = settings[`AzureWebJobs${name}`] ?? settings[name];
  if (value !== undefined && value !== "") return value;
  const identity = Object.keys(settings).find((key) => key.startsWith(`${name}__`));
  if (identity !== undefined) {
    throw new Error(
      `Connection "${name}" uses an identity (${identity}), which the local host does not support. ` +
        `Set "${name}" to a connection string.`,
    );
  }
  throw new Error(`App setting "${name}" is missing. Set it to a storage connection string.`);
}

/** Parses a .NET TimeSpan, `[d.]hh:mm:ss[.fff]`, into milliseconds. */
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
    // The default on Azure is one minute. Like Core Tools, the local host polls more often.
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
 * Reads the text of host.json. App settings named `AzureFunctionsJobHost__a__b` override its values. Throws an error that lists
 * every wrong field.
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
    throw new Error("host.json is not valid JSON.", { cause });
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
