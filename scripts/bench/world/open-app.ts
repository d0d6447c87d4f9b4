import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { monotonicFactory } from "ulid";
import { z } from "zod";
import { loadConfig } from "../../../shared/config/load.ts";
import type { EventReader } from "../../../shared/core/events.ts";
import { defaultCreates } from "../../../shared/core/fleet/vault-limit.ts";
import { toInstant } from "../../../shared/core/time.ts";
import { makeAdminRefusals } from "../../../shared/engine/calls/admin-refusals.ts";
import { makeAdminSecrets } from "../../../shared/engine/calls/admin-secrets.ts";
import { makeServers } from "../../../shared/engine/fleet/servers.ts";
import { makeOperations, type Operations } from "../../../shared/engine/operations.ts";
import { canConnect } from "../../../shared/rotators/common/connection/can-connect.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { makeSharedPace } from "../../../shared/stores/shared-pace.ts";
import { makeStorageQueue } from "../../../shared/stores/storage-queue.ts";
import { makeTableJournal } from "../../../shared/stores/table/table-journal.ts";
import { makeTablePace } from "../../../shared/stores/table/table-pace.ts";
import { makeKeyVault } from "../../../shared/vaults/key-vault.ts";
import { vaultCredential } from "./bench-vault.ts";
import { type Meter, meter } from "./counting.ts";
import { batchShape } from "./host-settings.ts";

/** The places of the configuration and the storage of the bench. */
export const placesShape = z.object({
  /** Path of a keyturn.yaml. */
  config: z.string(),
  connectionString: z.string(),
  table: z.string(),
  queue: z.string(),
  /** Whether the app reserves calls of the vault before a change, as in production. Set it to false for a vault without limits. */
  isPaced: z.boolean(),
  /** Instead of the values in `host.json`. */
  batch: batchShape.optional(),
});

export type Places = z.output<typeof placesShape>;

const pause = async (milliseconds: number) => {
  await wait(milliseconds);
};

/** Opens the app like `shared/assemble.ts`, with ports that count their calls. */
export async function openApp(
  { config: path, connectionString, table, queue: queueName, isPaced }: Places,
  read: EventReader,
): Promise<{ readonly app: Operations; readonly meter: Meter }> {
  const rotators = makeRotators(vaultCredential);
  const config = await loadConfig(path, { rotators });
  const counted = meter();
  const counting = new Map(rotators.map((rotator) => [rotator.type, counted.rotator(rotator)]));
  const vaults = new Map(
    Object.entries(config.vaults).map(([name, { url }]) => {
      const vault = makeKeyVault({ name, url, credential: vaultCredential });
      return [name, counted.vault(vault)];
    }),
  );
  const journal = makeTableJournal({ connectionString }, table);
  const creates = (vault: string) => config.vaults[vault]?.createsPer10s ?? defaultCreates;
  const marks = counted.pace(makeTablePace({ connectionString }, table));
  const pace = makeSharedPace(marks, creates, () => journal.now());
  const app = makeOperations({
    ports: {
      journal: counted.journal(journal),
      ...(isPaced && { pace }),
      vault: (name) => vaults.get(name),
      rotator(type) {
        const rotator = counting.get(type);
        if (!rotator) throw new Error(`no rotator ${type}`);
        return rotator;
      },
      consumer(name) {
        throw new Error(`the bench has no consumer ${name}`);
      },
      notifiers: [],
      getToken: () => Promise.reject(new Error("the bench has no identity")),
      targetsUsing: () => [],
      followers: () => [],
      adminRefusals: makeAdminRefusals(),
      adminSecrets: makeAdminSecrets(),
      servers: makeServers({
        now: () => toInstant(journal.now()),
        pause,
        draw: Math.random,
        canConnect,
      }),
      newId: monotonicFactory(),
      randomBytes,
      pause,
      deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
    },
    queue: counted.queue(makeStorageQueue({ connectionString }, queueName)),
    targets: config.targets,
    vaultAt: () => undefined,
  });
  return { app: app(read), meter: counted };
}
