import { z } from "zod";
import { Secret } from "../core/secret.ts";
import { webAddress } from "./fields.ts";
import { ConfigProblemsError } from "./problems.ts";
import type { Problem } from "./problems.ts";
import { validate } from "./validate.ts";

/** Where queue and tables are: by connection string, or by addresses for the app's managed identity. */
export type StorageSettings =
  | { readonly as: "connection-string"; readonly connectionString: Secret }
  | {
      readonly as: "identity";
      readonly queueUrl: string;
      readonly tableUrl: string;
      /** Of a user-assigned identity. */
      readonly clientId?: string;
    };

/** What the app is told through its environment. */
export interface Settings {
  /** File or folder; when it is relative, from the root of the app. */
  readonly configPath: string;
  readonly storage: StorageSettings;
  readonly queue: string;
  readonly table: string;
  /** Of a user-assigned identity; absent: the system-assigned one. */
  readonly clientId?: string;
}

const clientId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a UUID");

const environment = z.object({
  KEYTURN_CONFIG: z.string().default("./keyturn.yaml"),
  // The host adds "-poison" to the name of the queue, and 63 characters are the most.
  KEYTURN_QUEUE: z
    .string()
    .regex(
      /^(?=.{3,56}$)[a-z0-9]+(-[a-z0-9]+)*$/,
      "must be 3 to 56 lower-case letters and digits, with single hyphens between them",
    )
    .default("keyturn-work"),
  KEYTURN_TABLE: z
    .string()
    .regex(
      /^(?!tables$)[A-Za-z][A-Za-z0-9]{2,62}$/i,
      "must be 3 to 63 letters and digits, and begin with a letter",
    )
    .default("Keyturn"),
  AZURE_CLIENT_ID: clientId.optional(),
  AzureWebJobsStorage: z
    .string()
    .regex(
      /^(UseDevelopmentStorage=true|.*\b(AccountName|QueueEndpoint)=).*$/is,
      "must be a connection string of a storage account",
    )
    .optional(),
  AzureWebJobsStorage__accountName: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, "must be the name of a storage account")
    .optional(),
  AzureWebJobsStorage__queueServiceUri: webAddress.optional(),
  AzureWebJobsStorage__tableServiceUri: webAddress.optional(),
  AzureWebJobsStorage__clientId: clientId.optional(),
});

type Environment = z.output<typeof environment>;

/** Throws ConfigProblemsError with every problem there is. No value of a setting is in it. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  // A setting that is cleared in the portal is there, and empty.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const { value, findings } = validate(environment, given);
  const problems = [
    ...findings.map(({ path, message }) => problem(path.join("."), message)),
    ...checkStorage(given),
  ];
  if (value === undefined || problems.length > 0) throw new ConfigProblemsError(problems);
  return {
    configPath: value.KEYTURN_CONFIG,
    storage: storageOf(value),
    queue: value.KEYTURN_QUEUE,
    table: value.KEYTURN_TABLE,
    ...(value.AZURE_CLIENT_ID !== undefined && { clientId: value.AZURE_CLIENT_ID }),
  };
}

function checkStorage(given: Readonly<Record<string, string | undefined>>) {
  const byString = given["AzureWebJobsStorage"] !== undefined;
  const account = given["AzureWebJobsStorage__accountName"] !== undefined;
  const queue = given["AzureWebJobsStorage__queueServiceUri"] !== undefined;
  const table = given["AzureWebJobsStorage__tableServiceUri"] !== undefined;
  if (byString && (account || queue || table)) {
    const message = "is set beside AzureWebJobsStorage__…; keep the one that is meant";
    return [problem("AzureWebJobsStorage", message)];
  }
  if (byString || account || (queue && table)) return [];
  if (queue !== table) {
    const missing = queue ? "tableServiceUri" : "queueServiceUri";
    return [problem(`AzureWebJobsStorage__${missing}`, "is missing")];
  }
  const message =
    "is missing; set a connection string, or AzureWebJobsStorage__accountName for a managed identity";
  return [problem("AzureWebJobsStorage", message)];
}

function storageOf(settings: Environment): StorageSettings {
  const { AzureWebJobsStorage: connectionString, AzureWebJobsStorage__accountName: account = "" } =
    settings;
  if (connectionString !== undefined) {
    return { as: "connection-string", connectionString: new Secret(connectionString) };
  }
  const address = (kind: "queue" | "table", given: string | undefined) =>
    given?.replace(/\/$/, "") ?? `https://${account}.${kind}.core.windows.net`;
  const id = settings.AzureWebJobsStorage__clientId ?? settings.AZURE_CLIENT_ID;
  return {
    as: "identity",
    queueUrl: address("queue", settings.AzureWebJobsStorage__queueServiceUri),
    tableUrl: address("table", settings.AzureWebJobsStorage__tableServiceUri),
    ...(id !== undefined && { clientId: id }),
  };
}

function problem(path: string, message: string): Problem {
  return { file: "app settings", line: 0, column: 0, path, message };
}
