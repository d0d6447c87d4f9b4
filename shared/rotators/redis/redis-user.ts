import { createHash } from "node:crypto";
import { z } from "zod";
import type { Secret } from "../../core/secrets/secret.ts";

/** One user, as ACL GETUSER describes it. */
export interface User {
  readonly isOn: boolean;
  /** The server accepts any password. */
  readonly isOpen: boolean;
  /** The SHA-256 hashes of its passwords, in hexadecimal. */
  readonly hashes: readonly string[];
  /** What the user may do, by the name of the kind. */
  readonly rights: Readonly<Record<string, string>>;
}

const words = z.union([z.array(z.string()), z.string().transform((text) => text.split(" "))]);
const rules = z.unknown().transform((value) => JSON.stringify(value));
const reply = z.looseObject({
  flags: words,
  passwords: z.array(z.string()),
  commands: rules,
  keys: rules,
  channels: rules.optional(),
  databases: rules.optional(),
  selectors: rules.optional(),
});

/** The reply to ACL GETUSER. Undefined: the user does not exist. Throws if it has another form. */
export function parseUser(value: unknown): User | undefined {
  if (value === null) return undefined;
  const {
    flags,
    passwords,
    commands,
    keys,
    channels = "",
    databases = "",
    selectors = "",
  } = reply.parse(value);
  return {
    isOn: flags.includes("on"),
    isOpen: flags.includes("nopass"),
    hashes: passwords,
    rights: { commands, keys, channels, databases, selectors },
  };
}

/** The form in which the server stores a password. */
export const toHash = (secret: Secret): string =>
  createHash("sha256").update(secret.reveal(), "utf8").digest("hex");

/** Pure: the rules for ACL SETUSER that lead from a user to the wanted state. Empty when it has that state. */
export type Plan = (user: User) => readonly string[];

/**
 * Changes nothing, but fails if the user has been deleted, or has lost this password, since it was read. Without any rule that removes
 * a hash, the command would create a deleted user again. Empty if the user has no password.
 */
export const planNothing =
  (preferred?: string): Plan =>
  ({ hashes }) => {
    const known = hashes.find((hash) => hash === preferred) ?? hashes[0];
    return known === undefined ? [] : [`!${known}`, `#${known}`];
  };

/** Adds a password and takes none away, if the user still has the other one. */
export const planOverlap =
  (next: string, keep: string): Plan =>
  (user) =>
    user.hashes.includes(next) ? [] : [...planNothing(keep)(user), `#${next}`];

/**
 * Leaves these passwords alone. It names each hash that it removes, and never uses `resetpass`: a command that the server receives late
 * then cannot remove a newer password.
 */
export const planOnly =
  (...wanted: readonly string[]): Plan =>
  ({ hashes }) => [
    ...wanted.filter((hash) => !hashes.includes(hash)).map((hash) => `#${hash}`),
    ...hashes.filter((hash) => !wanted.includes(hash)).map((hash) => `!${hash}`),
  ];
