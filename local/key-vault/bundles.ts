import type { VaultPolicy } from "./rules.ts";
import { findCurrentVersion, type SecretEntry, type SecretVersion } from "./state.ts";

const LONGEST_RETENTION = 90;

/** Formats secrets as in answers of the vault. Times are whole seconds. */
export function createBundles(url: string, policy: VaultPolicy) {
  const customized = policy.retentionDays < LONGEST_RETENTION ? "Customized" : "";
  const recoveryLevel = `${customized}Recoverable${policy.purgeProtection ? "" : "+Purgeable"}`;

  const describe = (found: SecretVersion) => ({
    contentType: found.contentType,
    tags: found.tags,
    attributes: {
      enabled: found.enabled,
      nbf: found.nbf,
      exp: found.exp,
      created: found.created,
      updated: found.updated,
      recoveryLevel,
      recoverableDays: policy.retentionDays,
    },
  });

  const deletion = (entry: SecretEntry) => ({
    recoveryId: `${url}/deletedsecrets/${entry.name}`,
    deletedDate: entry.deletion?.at,
    scheduledPurgeDate: entry.deletion?.purgeAt,
  });

  const id = (entry: SecretEntry, found?: SecretVersion): string =>
    `${url}/secrets/${entry.name}${found === undefined ? "" : `/${found.version}`}`;

  return {
    withValue: (entry: SecretEntry, found: SecretVersion) => ({
      value: found.value,
      id: id(entry, found),
      ...describe(found),
    }),
    withoutValue: (entry: SecretEntry, found: SecretVersion) => ({
      id: id(entry, found),
      ...describe(found),
    }),
    deleted: (entry: SecretEntry) => ({
      id: id(entry, findCurrentVersion(entry)),
      ...describe(findCurrentVersion(entry)),
      ...deletion(entry),
    }),
    listed: (entry: SecretEntry) => ({ id: id(entry), ...describe(findCurrentVersion(entry)) }),
    listedDeleted: (entry: SecretEntry) => ({
      id: id(entry),
      ...describe(findCurrentVersion(entry)),
      ...deletion(entry),
    }),
  };
}

export type Bundles = ReturnType<typeof createBundles>;
