import { createHash, randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import { monotonicFactory } from "ulid";
import { makeTokenReader } from "./azure/tokens.ts";
import type { Configured } from "./config/config.ts";
import type { Settings } from "./config/settings.ts";
import { type Environment, makeAzureCredential, makeConnection } from "./connections.ts";
import type { Consumer } from "./consumers/consumer.ts";
import { makeWebhookConsumer } from "./consumers/webhook-consumer.ts";
import { deadlines } from "./core/deadlines.ts";
import { ConfigError } from "./core/errors.ts";
import type { EventReader } from "./core/events.ts";
import { sweepDistance } from "./core/fleet/sweeps.ts";
import { defaultCreates } from "./core/fleet/vault-limit.ts";
import { defaultLimits } from "./core/limits/token-bucket.ts";
import type { Secret } from "./core/secrets/secret.ts";
import type { SecretName, Target } from "./core/target.ts";
import { toInstant } from "./core/time.ts";
import type { KnownAlarm } from "./engine/alarm.ts";
import { makeAdminRefusals } from "./engine/calls/admin-refusals.ts";
import { makeAdminSecrets } from "./engine/calls/admin-secrets.ts";
import { makeServers } from "./engine/fleet/servers.ts";
import { makeOperations, type Operations } from "./engine/operations.ts";
import type { Ports } from "./engine/ports.ts";
import { makeEventGridNotifier } from "./notifiers/event-grid.ts";
import type { Notifier } from "./notifiers/notifier.ts";
import { makeWebhookNotifier } from "./notifiers/webhook-notifier.ts";
import { canConnect } from "./rotators/common/connection/can-connect.ts";
import { listOwnRotators } from "./rotators/own/modules.ts";
import { makeRotators } from "./rotators/registry.ts";
import { makeSharedLimiter } from "./stores/shared-limiter.ts";
import { makeSharedPace } from "./stores/shared-pace.ts";
import { makeStorageQueue } from "./stores/storage-queue.ts";
import { makeTableJournal } from "./stores/table/table-journal.ts";
import { makeTablePace } from "./stores/table/table-pace.ts";
import { makeKeyVault } from "./vaults/key-vault.ts";
import { makeKeyVaultSigner } from "./vaults/key-vault-signer.ts";
import type { Signer } from "./vaults/signer.ts";
import type { Vault } from "./vaults/vault.ts";

/** The inputs of the app from outside. */
export interface Given {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly config: Configured;
  /** Returns the current alarm about the configuration. */
  readonly configAlarm: () => KnownAlarm | undefined;
}

/** Builds the adapters that settings and configuration name, and connects them to the engine. */
export function assemble(given: Given): (read: EventReader) => Operations {
  const { environment, settings, config, configAlarm } = given;
  const credential = makeAzureCredential(environment, settings.clientId);
  const rotators = [...makeRotators(credential), ...listOwnRotators()];
  const vault = openVaults(config, credential);
  const secretOf = (name: SecretName) => readSecret(vault(name.vault), name);
  const { journal, pace, limiter, ...queues } = openStores(settings, environment, config);
  const consumers = openConsumers(config, secretOf);
  const pause = async (milliseconds: number) => {
    await setTimeout(milliseconds);
  };
  const ports: Omit<Ports, "emit"> = {
    journal,
    vault,
    rotator: (type) =>
      requireConfigured(
        rotators.find((rotator) => rotator.type === type),
        `rotator ${type}`,
      ),
    consumer: (name) => requireConfigured(consumers.get(name), `consumer ${name}`),
    notifiers: openNotifiers(config, credential, secretOf),
    ...openSigner(config, credential),
    getToken: makeTokenReader(credential),
    targetsUsing: (admin) => config.targets.filter((target) => usesAdmin(target, admin)),
    followers: (targetId) => config.targets.filter(({ after }) => after === targetId),
    sweepEvery: sweepDistance(environment["KEYTURN_SWEEP_SCHEDULE"]),
    adminRefusals: makeAdminRefusals(),
    adminSecrets: makeAdminSecrets(),
    servers: makeServers({
      now: () => toInstant(journal.now()),
      pause,
      draw: Math.random,
      canConnect,
    }),
    pace,
    newId: monotonicFactory(),
    randomBytes,
    pause,
    deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
  };
  const hosts = new Map(
    Object.entries(config.vaults).map(([name, { url }]) => [new URL(url).host.toLowerCase(), name]),
  );
  const { targets } = config;
  const vaultAt = (host: string) => hosts.get(host);
  const justificationRules = config.api ?? {};
  const api = { justificationRules, limiter };
  return makeOperations({ ports, ...queues, ...api, targets, vaultAt, configAlarm });
}

function openVaults(config: Configured, credential: TokenCredential): (name: string) => Vault {
  const vaults = new Map(
    Object.entries(config.vaults).map(([name, { url }]) => [
      name,
      makeKeyVault({ name, url, credential }),
    ]),
  );
  return (name) => requireConfigured(vaults.get(name), `vault ${name}`);
}

/** The key that signs the ledger, if the configuration names one. */
function openSigner(
  { ledger, vaults }: Configured,
  credential: TokenCredential,
): { readonly signer?: Signer } {
  if (!ledger?.signWith) return {};
  const { vault, key } = ledger.signWith;
  const { url } = requireConfigured(vaults[vault], `vault ${vault}`);
  return { signer: makeKeyVaultSigner({ vault, url, key, credential }) };
}

/** Milliseconds. A caller must not wait longer for the count of its requests. */
const limiterDeadline = 1_000;

function openStores(
  { storage, table, queue }: Settings,
  environment: Environment,
  { retention, vaults, api }: Configured,
) {
  const tables = makeConnection("table", storage, environment);
  const queues = makeConnection("queue", storage, environment);
  const retaining = retention === undefined ? {} : { retentionMs: retention };
  const journal = makeTableJournal(tables, table, retaining);
  const creates = (vault: string) => vaults[vault]?.createsPer10s ?? defaultCreates;
  const limits = makeTablePace(tables, table, { partition: "limits", deadline: limiterDeadline });
  return {
    journal,
    limiter: makeSharedLimiter(limits, { ...defaultLimits, ...api?.limits }, () => journal.now()),
    queue: makeStorageQueue(queues, queue),
    firstQueue: makeStorageQueue(queues, `${queue}-first`),
    pace: makeSharedPace(makeTablePace(tables, table), creates, () => journal.now()),
  };
}

function openConsumers(
  config: Configured,
  secretOf: (name: SecretName) => Promise<Secret>,
): ReadonlyMap<string, Consumer> {
  return new Map(
    Object.entries(config.consumers).map(([name, { url, key }]) => {
      const open = memoizeUntilFailure(async () =>
        makeWebhookConsumer({ name, url, key: await secretOf(key) }),
      );
      const refresh: Consumer["refresh"] = (message, signal) =>
        open((consumer) => consumer.refresh(message, signal));
      return [name, { name, refresh }];
    }),
  );
}

function openNotifiers(
  config: Configured,
  credential: TokenCredential,
  secretOf: (name: SecretName) => Promise<Secret>,
): Notifier[] {
  return config.notifiers.map((notifier) => {
    const open = memoizeUntilFailure(async (): Promise<Notifier> => {
      const key = notifier.key && (await secretOf(notifier.key));
      if (notifier.type === "webhook") {
        return makeWebhookNotifier({
          url: notifier.url,
          key: requireConfigured(key, "key for the webhook"),
        });
      }
      const endpoint = notifier.endpoint;
      return makeEventGridNotifier({ endpoint, credential: key ? { key } : credential });
    });
    const address = notifier.type === "webhook" ? notifier.url : notifier.endpoint;
    // The hash separates channels on one host. The address itself is not shown, because it may contain a key.
    const mark = createHash("sha256").update(address).digest("hex").slice(0, 6);
    return {
      name: `${notifier.type} ${new URL(address).host} ${mark}`,
      send: (notifications, signal) => open((made) => made.send(notifications, signal)),
    };
  });
}

/** Creates a value on first use, and again after a failure, because its key may have changed. */
function memoizeUntilFailure<Value>(make: () => Promise<Value>) {
  let value: Promise<Value> | undefined;
  return async <Result>(use: (value: Value) => Promise<Result>): Promise<Result> => {
    try {
      return await use(await (value ??= make()));
    } catch (error) {
      value = undefined;
      throw error;
    }
  };
}

async function readSecret(vault: Vault, { name }: SecretName): Promise<Secret> {
  const stored = await vault.readCurrent(name, AbortSignal.timeout(deadlines.vault));
  if (typeof stored === "string") throw new ConfigError(`the secret ${name} is ${stored}`);
  return stored.value;
}

function usesAdmin({ authority }: Target, { vault, name }: SecretName): boolean {
  return (
    authority.as === "admin" &&
    authority.secret.vault === vault &&
    authority.secret.name.toLowerCase() === name.toLowerCase()
  );
}

function requireConfigured<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new ConfigError(`the configuration has no ${what}`);
  return value;
}
