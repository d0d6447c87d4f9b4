import { Secret } from "../core/secrets/secret.ts";
import { findBlobProblem, isAddress } from "./blob-address.ts";
import { ConfigProblemsError, type Problem } from "./problems.ts";
import { findAddressProblem } from "./web-address.ts";

/** The storage account for queue and tables: a connection string, or addresses for the managed identity of the app. */
export type StorageSettings =
  | { readonly as: "connection-string"; readonly connectionString: Secret }
  | {
      readonly as: "identity";
      readonly queueUrl: string;
      readonly tableUrl: string;
      readonly blobUrl: string;
      /** The client id of a user-assigned identity. */
      readonly clientId?: string;
    };

/** The path of a file or folder, or the address of a blob. A relative path begins at the root of the app. */
export type ConfigPlace =
  { readonly as: "path"; readonly path: string } | { readonly as: "blob"; readonly url: Secret };

/** The settings of the app, from its environment variables. */
export interface Settings {
  readonly configuration: ConfigPlace;
  readonly storage: StorageSettings;
  readonly queue: string;
  readonly table: string;
  /** The client id of a user-assigned identity. Absent: the system-assigned identity. */
  readonly clientId?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const makePatternCheck = (pattern: RegExp, message: string) => (text: string) =>
  pattern.test(text) ? undefined : message;

const clientId = makePatternCheck(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a UUID");

/**
 * The checks of the app settings. They are plain functions instead of a schema: with the checked form of the configuration, a
 * start uses no schema, and loading the schema library would take a third of its time.
 */
const checks: Readonly<Record<string, (text: string) => string | undefined>> = {
  // Keyturn adds "-first" and the host adds "-poison" to the name of the queue, and Azure allows 63 characters.
  KEYTURN_QUEUE: makePatternCheck(
    /^(?=.{3,50}$)[a-z0-9]+(-[a-z0-9]+)*$/,
    "must be 3 to 50 lower-case letters, digits and single hyphens, with no hyphen at either end",
  ),
  KEYTURN_TABLE: makePatternCheck(
    /^(?!tables$)[A-Za-z][A-Za-z0-9]{2,62}$/i,
    'must be 3 to 63 letters and digits, begin with a letter, and not be "tables"',
  ),
  KEYTURN_CONFIG: (text) => (isAddress(text) ? findBlobProblem(text) : undefined),
  AZURE_CLIENT_ID: clientId,
  AzureWebJobsStorage: makePatternCheck(
    /^(UseDevelopmentStorage=true|.*\b(AccountName|QueueEndpoint)=).*$/is,
    "must be a connection string of a storage account",
  ),
  AzureWebJobsStorage__accountName: makePatternCheck(
    /^[a-z0-9]{3,24}$/,
    "must be the name of a storage account",
  ),
  AzureWebJobsStorage__queueServiceUri: findAddressProblem,
  AzureWebJobsStorage__tableServiceUri: findAddressProblem,
  AzureWebJobsStorage__blobServiceUri: findAddressProblem,
  AzureWebJobsStorage__clientId: clientId,
};

/** Reads the app settings. Throws ConfigProblemsError with every problem. Messages never contain the value of a setting. */
export function readSettings(env: Environment): Settings {
  // A setting that was cleared in the portal is an empty text.
  const given: Environment = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== ""),
  );
  const problems = [
    ...Object.entries(checks).flatMap(([name, check]) => {
      const text = given[name];
      const message = text === undefined ? undefined : check(text);
      return message === undefined ? [] : [problem(name, message)];
    }),
    ...checkStorage(given),
  ];
  if (problems.length > 0) throw new ConfigProblemsError(problems);
  const identity = given["AZURE_CLIENT_ID"];
  return {
    configuration: toConfigPlace(given["KEYTURN_CONFIG"] ?? "./keyturn.yaml"),
    storage: readStorage(given),
    queue: given["KEYTURN_QUEUE"] ?? "keyturn-work",
    table: given["KEYTURN_TABLE"] ?? "Keyturn",
    ...(identity !== undefined && { clientId: identity }),
  };
}

function checkStorage(given: Environment): Problem[] {
  const isGiven = (name: string) => given[name] !== undefined;
  const byString = isGiven("AzureWebJobsStorage");
  const account = isGiven("AzureWebJobsStorage__accountName");
  const services = ["queue", "table", ...(needsBlobs(given) ? ["blob"] : [])].map(
    (service) => `AzureWebJobsStorage__${service}ServiceUri`,
  );
  const missing = services.filter((name) => !isGiven(name));
  const hasAddress = missing.length < services.length;
  if (byString && (account || hasAddress)) {
    const message =
      "is set together with AzureWebJobsStorage__… settings; remove AzureWebJobsStorage or these settings";
    return [problem("AzureWebJobsStorage", message)];
  }
  if (byString || account) return [];
  if (hasAddress) return missing.map((name) => problem(name, "is missing"));
  const message =
    "is missing; set it to a connection string, or set AzureWebJobsStorage__accountName to use a managed identity";
  return [problem("AzureWebJobsStorage", message)];
}

/** Whether a blob is used whose address cannot be derived from the address of the queues. */
function needsBlobs(given: Environment): boolean {
  const queues = given["AzureWebJobsStorage__queueServiceUri"] ?? "";
  return isAddress(given["KEYTURN_CONFIG"] ?? "") && !queues.includes(".queue.");
}

function readStorage(given: Environment): StorageSettings {
  const connectionString = given["AzureWebJobsStorage"];
  const account = given["AzureWebJobsStorage__accountName"] ?? "";
  if (connectionString !== undefined) {
    return { as: "connection-string", connectionString: new Secret(connectionString) };
  }
  const address = (kind: "queue" | "table", written: string | undefined) =>
    written?.replace(/\/$/, "") ?? `https://${account}.${kind}.core.windows.net`;
  const queueUrl = address("queue", given["AzureWebJobsStorage__queueServiceUri"]);
  const blobs = given["AzureWebJobsStorage__blobServiceUri"]?.replace(/\/$/, "");
  const id = given["AzureWebJobsStorage__clientId"] ?? given["AZURE_CLIENT_ID"];
  return {
    as: "identity",
    queueUrl,
    tableUrl: address("table", given["AzureWebJobsStorage__tableServiceUri"]),
    blobUrl: blobs ?? queueUrl.replace(".queue.", ".blob."),
    ...(id !== undefined && { clientId: id }),
  };
}

function toConfigPlace(text: string): ConfigPlace {
  return isAddress(text) ? { as: "blob", url: new Secret(text) } : { as: "path", path: text };
}

function problem(path: string, message: string): Problem {
  return { file: "app settings", line: 0, column: 0, path, message };
}
