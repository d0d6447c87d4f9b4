/** An event of Key Vault about one version of a secret. */
export interface VaultEvent {
  readonly id: string;
  readonly kind: "near-expiry" | "expired" | "new-version";
  /** Host of the vault with its port, in lower case, such as `kv-orders.vault.azure.net`. */
  readonly host: string;
  readonly name: string;
  readonly version: string;
}

/** A map and not an object, because the type of an event may be `constructor`. */
const kinds: ReadonlyMap<string, VaultEvent["kind"]> = new Map([
  ["Microsoft.KeyVault.SecretNearExpiry", "near-expiry"],
  ["Microsoft.KeyVault.SecretExpired", "expired"],
  ["Microsoft.KeyVault.SecretNewVersionCreated", "new-version"],
] as const);

/**
 * Reads an event in the Event Grid schema or as a CloudEvent; undefined when it is neither.
 * Published samples have stray spaces in keys and values. The address of the secret contains all that the other fields say.
 */
export function parseVaultEvent(event: unknown): VaultEvent | "not about a secret" | undefined {
  const fields = trimKeys(event);
  const type = text(fields["eventType"] ?? fields["type"]);
  const kind = kinds.get(type);
  // A subscription without a filter also delivers events about keys, certificates and access.
  if (kind === undefined && type.startsWith("Microsoft.KeyVault.")) return "not about a secret";
  const address = parseAddress(text(trimKeys(fields["data"])["Id"]));
  return kind && address && { id: text(fields["id"]), kind, ...address };
}

function parseAddress(id: string): Omit<VaultEvent, "id" | "kind"> | undefined {
  if (!URL.canParse(id)) return undefined;
  const { host, pathname } = new URL(id);
  const match = /^\/secrets\/([0-9a-z-]{1,127})\/([0-9a-z]{1,64})\/?$/i.exec(pathname);
  const [, name, version] = match ?? [];
  return name !== undefined && version !== undefined
    ? { host: host.toLowerCase(), name, version }
    : undefined;
}

function trimKeys(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.trim(), field]));
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
