import { createHash } from "node:crypto";
import { z } from "zod";
import { LIMITS } from "./emulator-limits.ts";
import type { SecretEntry } from "./state.ts";
import { badParameter } from "./vault-error.ts";

const seconds = z.int();
const backedUpVersion = z.object({
  version: z.string(),
  value: z.string(),
  created: seconds,
  updated: seconds,
  enabled: z.boolean(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  nbf: seconds.optional(),
  exp: seconds.optional(),
});
const backup = z.object({ name: z.string(), versions: z.array(backedUpVersion).min(1) });

export type BackedUpVersion = z.infer<typeof backedUpVersion>;
/** All versions of one name, oldest first. */
export type Backup = z.infer<typeof backup>;

/** Marks a backup of this emulator. */
const MARK = "KeyturnSecretBackupV1.";
const computeDigest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Encodes a backup as base64url of opaque bytes. Unlike the service's backups, it is not encrypted. */
export function writeBackup({ name, versions }: SecretEntry): string {
  if (versions.length > LIMITS.backupVersions) {
    throw badParameter(
      `The secret ${name} has more than ${String(LIMITS.backupVersions)} versions and cannot be backed up.`,
    );
  }
  const kept: Backup = { name, versions: versions.map(({ announced: _, ...rest }) => rest) };
  const text = JSON.stringify(kept);
  return Buffer.from(`${MARK}${computeDigest(text)}.${text}`).toString("base64url");
}

export function readBackup(encoded: string): Backup {
  const bytes = Buffer.from(encoded, "base64url").toString("utf8");
  const [mark, digest, text] = split(bytes);
  if (mark !== MARK || digest !== computeDigest(text)) {
    throw badParameter("Backup blob contains invalid or corrupt version.");
  }
  return backup.parse(JSON.parse(text));
}

function split(bytes: string): [mark: string, digest: string, text: string] {
  const digestEnds = MARK.length + computeDigest("").length;
  return [
    bytes.slice(0, MARK.length),
    bytes.slice(MARK.length, digestEnds),
    bytes.slice(digestEnds + 1),
  ];
}
