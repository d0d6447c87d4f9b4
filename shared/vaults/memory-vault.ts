import { randomBytes } from "node:crypto";
import { VaultUnavailableError } from "../core/errors.ts";
import type { VersionRef } from "../core/target.ts";
import { type Instant, second } from "../core/time.ts";
import { checkContent, checkName, checkRef } from "./content.ts";
import type { StoredSecret, Unreadable, Vault } from "./vault.ts";

export interface MemoryVersion extends StoredSecret {
  readonly enabled: boolean;
}

export interface MemoryVault extends Vault {
  /** Every version of the name, including disabled ones, oldest first. */
  versions(name: string): readonly MemoryVersion[];
  /** Deletes the name like Key Vault with soft delete: it can be recovered, and cannot be written before that. */
  remove(name: string): void;
  /** Deletes a secret for good. */
  purge(name: string): void;
  /** Recovers a deleted name. */
  recover(name: string): void;
  /** Makes a disabled version readable again. */
  enable(ref: VersionRef): void;
  /** All names, in the order in which they were first written. */
  names(): readonly string[];
}

export interface MemoryVaultOptions {
  readonly name: string;
  readonly now?: () => Date;
  /** Returns the name of a version: letters, digits and hyphens, never the same twice. */
  readonly newVersion?: () => string;
}

/** Keeps secrets like Key Vault, as long as the process lives: names ignore case, and times are whole seconds. */
export function makeMemoryVault(options: MemoryVaultOptions): MemoryVault {
  const shelf: Shelf = { vault: options.name, secrets: new Map(), removed: new Map() };
  const { secrets, removed } = shelf;
  return {
    versions: (name) => [...listVersions(shelf, name)],
    purge: (name) => {
      secrets.delete(name.toLowerCase());
      removed.delete(name.toLowerCase());
    },
    remove: (name) => {
      move(secrets, removed, name.toLowerCase());
    },
    enable: (ref) => {
      setEnabled(shelf, ref, true);
    },
    recover: (name) => {
      move(removed, secrets, name.toLowerCase());
    },
    names: () => [...secrets.values()].flatMap(([first]) => (first ? [first.ref.name] : [])),
    ...reading(shelf),
    ...makeWriter(shelf, options),
  };
}

/** The versions by lower-case name, the oldest first. */
interface Shelf {
  /** The name of the vault in the configuration. */
  readonly vault: string;
  readonly secrets: Map<string, MemoryVersion[]>;
  readonly removed: Map<string, MemoryVersion[]>;
}

const listVersions = ({ secrets }: Shelf, name: string) => secrets.get(name.toLowerCase()) ?? [];
const isRemoved = ({ removed }: Shelf, name: string) => removed.has(name.toLowerCase());

/** Answers asynchronously, and never after the caller has cancelled the call. */
async function turn({ vault }: Shelf, signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  if (signal.aborted) throw new VaultUnavailableError(`The vault ${vault} timed out.`);
}

function reading(shelf: Shelf): Pick<Vault, "readCurrent" | "readVersion" | "listVersions"> {
  const { vault } = shelf;
  return {
    async readCurrent(name, signal) {
      await turn(shelf, signal);
      checkName(name);
      if (isRemoved(shelf, name)) return "deleted";
      const newest = listVersions(shelf, name).at(-1);
      return readable(newest, { vault, name, version: newest?.ref.version ?? "" });
    },

    async readVersion(ref, signal) {
      await turn(shelf, signal);
      checkRef(ref, vault);
      if (isRemoved(shelf, ref.name)) return "deleted";
      return readable(listVersions(shelf, ref.name).find(hasVersion(ref.version)), ref);
    },

    async listVersions(name, signal) {
      await turn(shelf, signal);
      checkName(name);
      return listVersions(shelf, name)
        .map(({ ref, enabled, createdAt, tags }) => {
          return { ref: { ...ref, name }, enabled, createdAt, tags: { ...tags } };
        })
        .reverse();
    },
  };
}

function makeWriter(shelf: Shelf, options: MemoryVaultOptions): Pick<Vault, "write" | "disable"> {
  const { vault, secrets } = shelf;
  const now = options.now ?? (() => new Date());
  const newVersion = options.newVersion ?? (() => randomBytes(16).toString("hex"));
  return {
    async write(name, content, signal) {
      await turn(shelf, signal);
      checkContent(name, content);
      if (isRemoved(shelf, name)) {
        throw new VaultUnavailableError(
          `The secret ${name} in the vault ${vault} was deleted and can be recovered. Recover or purge the secret.`,
        );
      }
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
      secrets.set(name.toLowerCase(), [...listVersions(shelf, name), written]);
      return ref;
    },

    async disable(ref, signal) {
      await turn(shelf, signal);
      checkRef(ref, vault);
      setEnabled(shelf, ref, false);
    },
  };
}

function setEnabled(shelf: Shelf, ref: VersionRef, enabled: boolean): void {
  if (!listVersions(shelf, ref.name).some(hasVersion(ref.version))) return;
  const changed = listVersions(shelf, ref.name).map((each) =>
    hasVersion(ref.version)(each) ? { ...each, enabled } : each,
  );
  shelf.secrets.set(ref.name.toLowerCase(), changed);
}

function move<Value>(from: Map<string, Value>, to: Map<string, Value>, key: string): void {
  const value = from.get(key);
  if (value === undefined) return;
  from.delete(key);
  to.set(key, value);
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
