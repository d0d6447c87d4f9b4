/** Decides to which addresses Keyturn may send secrets, tokens and signed requests. No other module decides this. */

/** Where Microsoft runs Key Vault. Keyturn sends tokens and secrets to no other hosts. */
export const vaultSuffixes = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net"];

/** Where Microsoft runs Event Grid. Keyturn sends tokens and keys to no other hosts. */
export const topicSuffixes = ["eventgrid.azure.net", "eventgrid.azure.us", "eventgrid.azure.cn"];

/** Where Microsoft runs blob storage. Keyturn sends tokens to no other hosts. */
const blobSuffixes = [
  "blob.core.windows.net",
  "blob.core.usgovcloudapi.net",
  "blob.core.chinacloudapi.cn",
  "blob.storage.azure.net",
];

/** Where Microsoft runs databases, by system. Keyturn sends tokens to no other database servers. */
const databaseSuffixes = {
  sqlserver: ["database.windows.net", "database.usgovcloudapi.net", "database.chinacloudapi.cn"],
  postgresql: [
    "postgres.database.azure.com",
    "postgres.database.usgovcloudapi.net",
    "postgres.database.chinacloudapi.cn",
  ],
  mysql: [
    "mysql.database.azure.com",
    "mysql.database.usgovcloudapi.net",
    "mysql.database.chinacloudapi.cn",
  ],
} as const;

/** Where Microsoft runs services with access keys, by service and then by cloud. Keyturn sends such keys to no other hosts. */
const keySuffixes = {
  storage: [
    "core.windows.net",
    "core.usgovcloudapi.net",
    "core.chinacloudapi.cn",
    "storage.azure.net",
  ],
  "cosmos-db": ["documents.azure.com", "documents.azure.us", "documents.azure.cn"],
  cognitive: [
    "cognitiveservices.azure.com",
    "cognitiveservices.azure.us",
    "cognitiveservices.azure.cn",
    ...["openai.azure.com", "openai.azure.us", "openai.azure.cn"],
    ...["services.ai.azure.com", "services.ai.azure.us", "services.ai.azure.cn"],
    ...["api.cognitive.microsoft.com", "api.cognitive.microsoft.us", "api.cognitive.azure.cn"],
  ],
  search: ["search.windows.net", "search.azure.us", "search.azure.cn"],
  redis: [
    "redis.cache.windows.net",
    "redis.cache.usgovcloudapi.net",
    "redis.cache.chinacloudapi.cn",
  ],
  "managed-redis": ["redis.azure.net", "redisenterprise.cache.azure.net"],
  bus: ["servicebus.windows.net", "servicebus.usgovcloudapi.net", "servicebus.chinacloudapi.cn"],
  signalr: ["service.signalr.net", "signalr.azure.us", "signalr.azure.cn"],
  "web-pubsub": ["webpubsub.azure.com", "webpubsub.azure.us", "webpubsub.azure.cn"],
  "event-grid": topicSuffixes,
  "app-configuration": ["azconfig.io", "azconfig.azure.us", "azconfig.azure.cn"],
  batch: ["batch.azure.com", "batch.usgovcloudapi.net", "batch.chinacloudapi.cn"],
  maps: ["atlas.microsoft.com", "atlas.azure.us"],
  "container-registry": ["azurecr.io", "azurecr.us", "azurecr.cn"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A service with access keys. */
export type KeySystem = keyof typeof keySuffixes;

/** The domains of the service, first those of the clouds in the order of `resourceManagers`. */
export const listKeyDomains = (system: KeySystem): readonly string[] => keySuffixes[system];

/** A host of the service in any cloud, or an emulator of this machine. */
export function isKeyHost(address: URL, system: KeySystem): boolean {
  const domains: readonly string[] = keySuffixes[system];
  return isLoopback(address) || domains.includes(address.hostname) || isBelow(address, domains);
}

/** The origins of Azure Resource Manager, one for each cloud. */
export const resourceManagers: readonly string[] = [
  "https://management.azure.com",
  "https://management.usgovcloudapi.net",
  "https://management.chinacloudapi.cn",
];

/** The origins of Microsoft Graph. The clouds of the US government have two. */
const graphs: readonly string[] = [
  "https://graph.microsoft.com",
  "https://graph.microsoft.us",
  "https://dod-graph.microsoft.us",
  "https://microsoftgraph.chinacloudapi.cn",
];

/** The origins where applications log in to Microsoft Entra, by cloud. */
const logInOrigins: readonly string[] = [
  "https://login.microsoftonline.com",
  "https://login.microsoftonline.us",
  "https://login.chinacloudapi.cn",
];

/** A system whose servers on Azure accept the token of an identity. */
export type TokenSystem = keyof typeof databaseSuffixes;

/** Source of a regular expression: the name of a host, or an IPv4 address. It has no character with a meaning in a URL. */
export const hostName = "[A-Za-z0-9](?:(?:[A-Za-z0-9_-]|\\.(?!\\.))*[A-Za-z0-9])?";

/** True only for addresses that cannot leave the machine. Names in `.localhost` do not count, because a resolver may redirect them. */
export function isLoopback(address: URL): boolean {
  // The URL parser has already turned every spelling of an IPv4 address into four decimal parts.
  return (
    /^127\.\d+\.\d+\.\d+$/.test(address.hostname) ||
    address.hostname === "[::1]" ||
    address.hostname === "localhost"
  );
}

/** True when the host is a subdomain of one of the suffixes. */
function isBelow(address: URL, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => address.hostname.endsWith(`.${suffix}`));
}

/** A host of Key Vault, or an emulator of this machine. */
export function isVaultHost(address: URL): boolean {
  if (isLoopback(address)) return true;
  return isBelow(address, vaultSuffixes) && address.port === "";
}

/** A host of blob storage, or an emulator of this machine. */
export function isBlobHost(address: URL): boolean {
  return isLoopback(address) || isBelow(address, blobSuffixes);
}

/** A host of Event Grid, or an emulator of this machine. */
export function isTopicHost(address: URL): boolean {
  return isLoopback(address) || isBelow(address, topicSuffixes);
}

/** An origin of Azure Resource Manager, or its double on this machine with TLS. */
export const isResourceManager = (origin: string): boolean =>
  resourceManagers.includes(origin) || isSecureLoopback(origin);

/** An origin of Microsoft Graph, or its double on this machine with TLS. */
export const isGraph = (origin: string): boolean =>
  graphs.includes(origin) || isSecureLoopback(origin);

/** An origin of log-ins to Microsoft Entra, or its double on this machine with TLS. */
export const isLogIn = (origin: string): boolean =>
  logInOrigins.includes(origin) || isSecureLoopback(origin);

/** Exactly as `URL.origin` writes it, so without a path and without a user. */
function isSecureLoopback(origin: string): boolean {
  const address = URL.parse(origin);
  if (address?.protocol !== "https:") return false;
  return isLoopback(address) && address.origin === origin;
}

/** Whether the host is a server of this system in Azure, in any cloud. */
export function isAzureServer(host: string, system: TokenSystem): boolean {
  const address = toAddress(host);
  return address !== null && isBelow(address, databaseSuffixes[system]);
}

function toAddress(host: string): URL | null {
  const name = host.replace(/\.$/, "");
  return URL.parse(`https://${name.includes(":") ? `[${name}]` : name}`);
}

/** Why this host gets no token, as in "(the host) with admin: managed-identity must …". Undefined for a host of Azure, and for a server of this machine. */
export function findTokenHostProblem(host: string, system: TokenSystem): string | undefined {
  const address = toAddress(host);
  if (address !== null && isLoopback(address)) return undefined;
  if (isAzureServer(host, system)) return undefined;
  return (
    `with admin: managed-identity must be in ${databaseSuffixes[system].join(", ")}, because Keyturn sends its token to no other host. ` +
    "For other servers write admin: { secret: … }"
  );
}

/** The scope of a token for this server of Azure SQL. */
export function toDatabaseScope(host: string): string {
  const suffix = databaseSuffixes.sqlserver.find((one) => host.toLowerCase().endsWith(`.${one}`));
  return `https://${suffix ?? "database.windows.net"}/.default`;
}
