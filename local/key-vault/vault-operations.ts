import { randomBytes } from "node:crypto";
import type { LoopbackReply } from "../loopback.ts";
import { readBackup, writeBackup } from "./backup.ts";
import { parseCreateBody, parseRestoreBody, parseUpdateBody } from "./emulator-limits.ts";
import { KEY_OPERATIONS } from "./keys.ts";
import { takePage } from "./paging.ts";
import * as rules from "./rules.ts";
import { findCurrentVersion, findEntry, type SecretEntry } from "./state.ts";
import type { Call, Perform, VaultContext } from "./vault-call.ts";
import { secretNotFound } from "./vault-error.ts";
import type { Operation } from "./vault-routes.ts";

const ok = (json: unknown): LoopbackReply => ({ status: 200, json });

export const OPERATIONS: Readonly<Record<Operation, Perform>> = {
  ...KEY_OPERATIONS,

  "set-secret": async (vault, call) => {
    const body = parseCreateBody(call.body);
    const version = randomBytes(16).toString("hex");
    await vault.commit(() =>
      rules.decideCreate(vault.state, call.name, body, { now: call.now, version }),
    );
    const entry = entryAfter(vault, call);
    return ok(vault.bundles.withValue(entry, rules.pickVersion(entry, version)));
  },

  "get-secret": (vault, call) => {
    const entry = rules.requireLiveEntry(vault.state, call.name, call.now);
    return ok(vault.bundles.withValue(entry, rules.readVersion(entry, call.version)));
  },

  "update-secret": async (vault, call) => {
    const body = parseUpdateBody(call.body);
    let updated = call.version;
    await vault.commit(() => {
      const live = rules.requireLiveEntry(vault.state, call.name, call.now);
      const found = rules.pickVersion(live, call.version);
      updated = found.version;
      return rules.decideUpdate(live, found, body, call.now);
    });
    const entry = entryAfter(vault, call);
    return ok(vault.bundles.withoutValue(entry, rules.pickVersion(entry, updated)));
  },

  "delete-secret": async (vault, call) => {
    await vault.commit(() => rules.decideDelete(vault.state, call.name, vault.policy, call.now));
    return ok(vault.bundles.deleted(entryAfter(vault, call)));
  },

  "list-secrets": (vault, call) =>
    ok(
      takePage(
        names(vault, (entry) => rules.isLive(entry, call.now)),
        {
          key: (entry) => entry.name.toLowerCase(),
          show: vault.bundles.listed,
          url: `${vault.url}/secrets`,
          query: call.query,
        },
      ),
    ),

  // Ordered by the random version id, not by time, so a client must search for the newest. A name that does not exist
  // has no versions, which is not an error.
  "list-versions": (vault, call) => {
    const found = findEntry(vault.state, call.name);
    const live = found !== undefined && rules.isLive(found, call.now) ? [found] : [];
    return ok(
      takePage(
        live.flatMap((entry) => entry.versions.map((version) => ({ entry, version }))),
        {
          key: ({ version }) => version.version,
          show: ({ entry, version }) => vault.bundles.withoutValue(entry, version),
          url: `${vault.url}/secrets/${call.name}/versions`,
          query: call.query,
        },
      ),
    );
  },

  "list-deleted": (vault, call) =>
    ok(
      takePage(
        names(vault, (entry) => rules.isDeleted(entry, call.now)),
        {
          key: (entry) => entry.name.toLowerCase(),
          show: vault.bundles.listedDeleted,
          url: `${vault.url}/deletedsecrets`,
          query: call.query,
        },
      ),
    ),

  "get-deleted": (vault, call) =>
    ok(vault.bundles.deleted(rules.requireDeletedEntry(vault.state, call.name, call.now))),

  "recover-secret": async (vault, call) => {
    await vault.commit(() => rules.decideRecover(vault.state, call.name, vault.policy, call.now));
    const entry = entryAfter(vault, call);
    return ok(vault.bundles.withoutValue(entry, findCurrentVersion(entry)));
  },

  "backup-secret": (vault, call) => {
    const entry = rules.requireLiveEntry(vault.state, call.name, call.now);
    return ok({ value: writeBackup(entry) });
  },

  "restore-secret": async (vault, call) => {
    const backup = readBackup(parseRestoreBody(call.body));
    const newest = backup.versions.at(-1)?.version ?? "";
    const id = `${vault.url}/secrets/${backup.name}/${newest}`;
    await vault.commit(() => rules.decideRestore(vault.state, backup, { now: call.now, id }));
    const entry = entryAfter(vault, backup);
    return ok(vault.bundles.withoutValue(entry, findCurrentVersion(entry)));
  },

  "purge-secret": async (vault, call) => {
    await vault.commit(() => rules.decidePurge(vault.state, call.name, vault.policy, call.now));
    return { status: 204 };
  },
};

/** Returns the entry for the reply to a write, in any state. */
function entryAfter(vault: VaultContext, { name }: Pick<Call, "name">): SecretEntry {
  const entry = findEntry(vault.state, name);
  if (entry === undefined) throw secretNotFound(name);
  return entry;
}

function* names(
  vault: VaultContext,
  wanted: (entry: SecretEntry) => boolean,
): Generator<SecretEntry> {
  for (const entry of vault.state.entries.values()) if (wanted(entry)) yield entry;
}
