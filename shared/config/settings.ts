import { Secret } from "../core/secrets/secret.ts";
import { blobProblem, isAddress } from "./blob-address.ts";
import { ConfigProblemsError, type Problem } from "./problems.ts";
import { addressProblem } from "./web-address.ts";

/** Where queue and tables are: by connection string, or by addresses for the app's managed identity. */
export type StorageSettings =
  | { readonly as: "connection-string"; readonly connectionString: Secret }
  | {
      readonly as: "identity";
      readonly queueUrl: string;
      readonly tableUrl: string;
      readonly blobUrl: string;
      /** Of a user-assigned identity. */
      readonly clientId?: string;
    };

/** A file or folder (when it is relative, from the root of the app), or a blob. */
export type ConfigPlace =
  { readonly as: "path"; readonly path: string } | { readonly as: "blob"; readonly url: Secret };

/** What the app is told through its environment. */
export interface Settings {
  readonly configuration: ConfigPlace;
  readonly storage: StorageSettings;
  readonly queue: string;
  readonly table: string;
  /** Of a user-assigned identity; absent: the system-assigned one. */
  readonly clientId?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const makePatternCheck = (pattern: RegExp, message: string) => (text: string) =>
  pattern.test(text) ? undefined : message;

const clientId = makePatternCheck(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a UUID");

/**
 * What is wrong with the text of a setting. Functions of our own and no schema: with the checked form of the configuration, a
 * start needs no schema at all, and to load what reads schemas would be a third of it.
 */
const checks: Readonly<Record<string, (text: string) => string | undefined>> = {
  // "-first" and the host's "-poison" are added to the name of the queue, and 63 characters are the most.
  KEYTURN_QUEUE: makePatternCheck(
    /^(?=.{3,50}$)[a-z0-9]+(-[a-z0-9]+)*$/,
    "must be 3 to 50 lower-case letters and digits, with single hyphens between them",
  ),
  KEYTURN_TABLE: makePatternCheck(
    /^(?!tables$)[A-Za-z][A-Za-z0-9]{2,62}$/i,
    "must be 3 to 63 letters and digits, and begin with a letter",
  ),
  KEYTURN_CONFIG: (text) => (isAddress(text) ? blobProblem(text) : undefined),
  AZURE_CLIENT_ID: clientId,
  AzureWebJobsStorage: makePatternCheck(
    /^(UseDevelopmentStorage=true|.*\b(AccountName|QueueEndpoint)=).*$/is,
    "must be a connection string of a storage account",
  ),
  AzureWebJobsStorage__accountName: makePatternCheck(
    /^[a-z0-9]{3,24}$/,
    "must be the name of a storage account",
  ),
  AzureWebJobsStorage__queueServiceUri: addressProblem,
  AzureWebJobsStorage__tableServiceUri: addressProblem,
  AzureWebJobsStorage__blobServiceUri: addressProblem,
  AzureWebJobsStorage__clientId: clientId,
};

/** Throws ConfigProblemsError with every problem there is. No value of a setting is in it. */
export function readSettings(env: Environment): Settings {
  // A setting that is cleared in the portal is there, and empty.
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
    const message = "is set beside AzureWebJobsStorage__…; keep the one that is meant";
    return [problem("AzureWebJobsStorage", message)];
  }
  if (byString || account) return [];
  if (hasAddress) return missing.map((name) => problem(name, "is missing"));
  const message =
    "is missing; set a connection string, or AzureWebJobsStorage__accountName for a managed identity";
  return [problem("AzureWebJobsStorage", message)];
}

/** Whether blobs are used, and their address does not follow from that of the queues. */
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
