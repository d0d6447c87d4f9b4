import { randomBytes } from "node:crypto";
import { VaultUnavailableError } from "../core/errors.ts";
import type { VersionRef } from "../core/target.ts";
import { second } from "../core/time.ts";
import type { Instant } from "../core/time.ts";
import { checkContent, checkName, checkRef } from "./content.ts";
import type { StoredSecret, Unreadable, Vault } from "./vault.ts";

export interface MemoryVersion extends StoredSecret {
  readonly enabled: boolean;
}

export interface MemoryVault extends Vault {
  /** Every version of the name, disabled ones too, oldest first. */
  versions(name: string): readonly MemoryVersion[];
  /** All names, in the order in which they were first written. */
  names(): readonly string[];
}

export interface MemoryVaultOptions {
  readonly name: string;
  readonly now?: () => Date;
  /** Makes the name of a version: letters, digits and hyphens, never twice the same. */
  readonly newVersion?: () => string;
}

/** Keeps secrets as Key Vault does, for as long as the process lives: names ignore case, times are whole seconds. */
export function memoryVault(options: MemoryVaultOptions): MemoryVault {
  const { name: vault } = options;
  const now = options.now ?? (() => new Date());
  const newVersion = options.newVersion ?? (() => randomBytes(16).toString("hex"));
  const secrets = new Map<string, MemoryVersion[]>();
  const versionsOf = (name: string) => secrets.get(name.toLowerCase()) ?? [];

  /** Nothing is answered at once, or after the caller gave up. */
  async function turn(signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    if (signal.aborted)
      throw new VaultUnavailableError(`The vault ${vault} did not answer in time.`);
  }

  return {
    versions: (name) => [...versionsOf(name)],
    names: () => [...secrets.values()].flatMap(([first]) => (first ? [first.ref.name] : [])),

    async readCurrent(name, signal) {
      await turn(signal);
      checkName(name);
      const newest = versionsOf(name).at(-1);
      return readable(newest, { vault, name, version: newest?.ref.version ?? "" });
    },

    async readVersion(ref, signal) {
      await turn(signal);
      checkRef(ref, vault);
      return readable(versionsOf(ref.name).find(hasVersion(ref.version)), ref);
    },

    async write(name, content, signal) {
      await turn(signal);
      checkContent(name, content);
      const { expiresAt, ...rest } = content;
      const ref = { vault, name, version: newVersion() };
      const written: MemoryVersion = {
        ...rest,
        ...(expiresAt === undefined ? {} : { expiresAt: wholeSecond(new Date(expiresAt)) }),
        tags: { ...content.tags },
        ref,
        createdAt: wholeSecond(now()),
        enabled: true,
      };
      secrets.set(name.toLowerCase(), [...versionsOf(name), written]);
      return ref;
    },

    async disable(ref, signal) {
      await turn(signal);
      checkRef(ref, vault);
      if (!versionsOf(ref.name).some(hasVersion(ref.version))) return;
      const changed = versionsOf(ref.name).map((each) =>
        hasVersion(ref.version)(each) ? { ...each, enabled: false } : each,
      );
      secrets.set(ref.name.toLowerCase(), changed);
    },
  };
}

function hasVersion(version: string): (stored: StoredSecret) => boolean {
  return (stored) => stored.ref.version === version;
}

function readable(stored: MemoryVersion | undefined, ref: VersionRef): StoredSecret | Unreadable {
  if (!stored) return "absent";
  if (!stored.enabled) return "disabled";
  const { enabled: _, ...secret } = stored;
  return { ...secret, tags: { ...secret.tags }, ref };
}

function wholeSecond(date: Date): Instant {
  return new Date(Math.floor(date.getTime() / second) * second).toISOString();
}
