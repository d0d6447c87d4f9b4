/** What Key Vault announced about one version of a secret. */
export interface VaultEvent {
  readonly id: string;
  readonly kind: "near-expiry" | "expired" | "new-version";
  /** Host of the vault with its port, in lower case, such as `kv-orders.vault.azure.net`. */
  readonly host: string;
  readonly name: string;
  readonly version: string;
}

const kinds: Readonly<Record<string, VaultEvent["kind"]>> = {
  "Microsoft.KeyVault.SecretNearExpiry": "near-expiry",
  "Microsoft.KeyVault.SecretExpired": "expired",
  "Microsoft.KeyVault.SecretNewVersionCreated": "new-version",
};

/**
 * Reads an event in the Event Grid schema or as a CloudEvent; undefined when it is neither, or not about a secret.
 * Published samples have stray spaces in keys and values, and what the fields say is all in the secret's address.
 */
export function parseVaultEvent(event: unknown): VaultEvent | undefined {
  const fields = trimmed(event);
  const kind = kinds[text(fields["eventType"] ?? fields["type"])];
  const address = parseAddress(text(trimmed(fields["data"])["Id"]));
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

function trimmed(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.trim(), field]));
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
