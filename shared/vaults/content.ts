import { ConfigError } from "../core/errors.ts";
import type { VersionRef } from "../core/target.ts";
import { type Instant, second } from "../core/time.ts";
import { vaultLimits } from "../core/vault-limits.ts";
import type { SecretContent } from "./vault.ts";

/** The limits of Key Vault. Every vault enforces them, so that a test vault accepts nothing that the real one refuses. */
const limits = {
  ...vaultLimits,
  /** The Key Vault client writes seconds as a signed 32-bit number; later moments would wrap. */
  lastExpiry: "2038-01-19T03:14:07.000Z",
} as const;

/** Throws ConfigError. */
export function checkName(name: string): void {
  if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) {
    throw new ConfigError("The name of a secret must have 1 to 127 letters, digits and hyphens.");
  }
}

/** Throws ConfigError. An empty version would mean the newest version. */
export function checkRef(ref: VersionRef, vault: string): void {
  checkName(ref.name);
  if (!/^[0-9A-Za-z-]{1,127}$/.test(ref.version)) {
    throw new ConfigError(`A version of the secret ${ref.name} must be named.`);
  }
  if (ref.vault !== vault) {
    throw new ConfigError(`The secret ${ref.name} is in the vault ${ref.vault}, not in ${vault}.`);
  }
}

/** Throws a ConfigError that names the field. */
export function checkContent(name: string, content: SecretContent): void {
  checkName(name);
  const problem =
    valueProblem(content.value.reveal()) ??
    tagsProblem(Object.entries(content.tags)) ??
    expiryProblem(content.expiresAt);
  if (problem !== undefined) throw new ConfigError(`The secret ${name}: ${problem}`);
  if (content.contentType.length > limits.contentTypeCharacters) {
    throw new ConfigError(
      `The secret ${name}: contentType has more than ${limits.contentTypeCharacters} characters.`,
    );
  }
}

function valueProblem(value: string): string | undefined {
  if (!value.isWellFormed()) return "the value is not valid Unicode.";
  if (Buffer.byteLength(value) > limits.valueBytes) {
    return `the value has more than ${limits.valueBytes} bytes.`;
  }
  return undefined;
}

function tagsProblem(tags: [string, string][]): string | undefined {
  if (tags.length > limits.tags) return `there are more than ${limits.tags} tags.`;
  for (const [name, value] of tags) {
    if (name === "") return "a tag has no name.";
    if (name.length > limits.tagCharacters || value.length > limits.tagCharacters) {
      return `the tag ${name.slice(0, 40)} has more than ${limits.tagCharacters} characters.`;
    }
  }
  return undefined;
}

function expiryProblem(expiresAt: Instant | undefined): string | undefined {
  if (expiresAt === undefined) return undefined;
  const moment = Date.parse(expiresAt);
  if (moment >= second && moment <= Date.parse(limits.lastExpiry)) return undefined;
  return `expiresAt must be a moment up to ${limits.lastExpiry}.`;
}
