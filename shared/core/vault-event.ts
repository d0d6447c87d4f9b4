/** What Key Vault announced about one version of a secret. */
export interface VaultEvent {
  readonly id: string;
  readonly kind: "near-expiry" | "expired" | "new-version";
  /** Host of the vault with its port, in lower case, such as `kv-orders.vault.azure.net`. */
  readonly host: string;
  readonly name: string;
  readonly version: string;
}

/** A map and no object: an event may say that its type is `constructor`. */
const kinds: ReadonlyMap<string, VaultEvent["kind"]> = new Map([
  ["Microsoft.KeyVault.SecretNearExpiry", "near-expiry"],
  ["Microsoft.KeyVault.SecretExpired", "expired"],
  ["Microsoft.KeyVault.SecretNewVersionCreated", "new-version"],
] as const);

/**
 * Reads an event in the Event Grid schema or as a CloudEvent; undefined when it is neither.
 * Published samples have stray spaces in keys and values, and what the fields say is all in the secret's address.
 */
export function parseVaultEvent(event: unknown): VaultEvent | "not about a secret" | undefined {
  const fields = trimKeys(event);
  const type = text(fields["eventType"] ?? fields["type"]);
  const kind = kinds.get(type);
  // A vault tells of keys, certificates and access, too, when a subscription does not filter.
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
