import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { startAzurite } from "../../../local/azurite.ts";
import {
  type EventGridEmulator,
  startEventGridEmulator,
} from "../../../local/event-grid/emulator.ts";
import { createTopic, type Topic } from "../../../local/event-grid/topic.ts";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../../local/identity/endpoint.ts";
import { toVaultResourceId } from "../../../local/key-vault/announcements.ts";
import { type KeyVaultEmulator, startKeyVaultEmulator } from "../../../local/key-vault/emulator.ts";
import { VAULT_RESOURCE } from "../../../local/key-vault/gate.ts";
import {
  type StartedPostgresqlTarget,
  startPostgresqlTarget,
} from "../../contract/rotators/postgresql-target.ts";
import { getPart, movedTo } from "../../stores/connection-strings.ts";
import { type Line, lineTo } from "./line.ts";

/** Everything that the app needs; real servers where possible. */
export interface Services {
  readonly database: StartedPostgresqlTarget;
  readonly vault: KeyVaultEmulator;
  /** The official client. */
  readonly secrets: SecretClient;
  readonly keyClient: KeyClient;
  /** The custom topic that the app publishes to. */
  readonly topic: EventGridEmulator;
  /** The topic of Key Vault's events. */
  readonly vaultEvents: Topic;
  readonly identity: IdentityEndpoint;
  /** Of the storage account, past the lines. */
  readonly storage: string;
  /** The connections that the app uses. */
  readonly lines: Lines;
  /** The tokens that the vault received. */
  readonly tokens: ReadonlySet<string>;
  /** Deleted when all is closed. `vault.jsonl` has the content of the vault. */
  readonly folder: string;
  /** Writes a version that is this many days old. */
  store(name: string, value: string, ageInDays?: number): Promise<void>;
  close(): Promise<void>;
}

export interface Lines {
  readonly database: Line;
  readonly queue: Line;
  readonly table: Line;
}

const day = 86_400_000;
const keep = 100_000;
const vaultName = "keyturn-local";

export async function startServices(): Promise<Services> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-e2e-"));
  const [database, azurite, identity, topic] = await Promise.all([
    startPostgresqlTarget(),
    startAzurite({ memory: true }),
    startIdentityEndpoint(),
    startEventGridEmulator({ keep }),
  ]);
  const vaultEvents = createTopic({
    source: toVaultResourceId(vaultName),
    inputSchema: "EventGridSchema",
    keep,
    timeScale: 0.01,
  });
  const { vault, tokens, backdate } = await startVault(folder, identity, vaultEvents);
  const { secrets, keyClient } = await makeClients(vault.url, identity);
  const lines = await linesTo(database.port, azurite.connectionString);
  return {
    ...{ database, vault, secrets, keyClient, topic, vaultEvents, identity, lines, tokens, folder },
    storage: azurite.connectionString,
    store: (name, value, ageInDays = 0) =>
      backdate(ageInDays, () => secrets.setSecret(name, value)),
    async close() {
      vaultEvents.close();
      await Promise.all([vault.close(), topic.close(), identity.close()]);
      await Promise.all(Object.values(lines).map((line: Line) => line.close()));
      await Promise.all([azurite.close(), database.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startVault(folder: string, identity: IdentityEndpoint, events: Topic) {
  const tokens = new Set<string>();
  let age = 0;
  const vault = await startKeyVaultEmulator({
    name: vaultName,
    acceptsToken(token) {
      tokens.add(token);
      return identity.accepts(token, VAULT_RESOURCE);
    },
    file: join(folder, "vault.jsonl"),
    throttleScale: Infinity,
    now: () => new Date(Date.now() - age),
    onEvent: (event) => {
      events.publish([event]);
    },
  });
  const backdate = async (days: number, act: () => Promise<unknown>): Promise<void> => {
    age = days * day;
    try {
      await act();
    } finally {
      age = 0;
    }
  };
  return { vault, tokens, backdate };
}

async function makeClients(vaultUrl: string, identity: IdentityEndpoint) {
  const address = `${identity.url}?api-version=2019-08-01&resource=${VAULT_RESOURCE}`;
  const answer = await fetch(address, { headers: { "x-identity-header": identity.header } });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const credential = {
    getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + day }),
  };
  const options = { allowInsecureConnection: true, disableChallengeResourceVerification: true };
  return {
    secrets: new SecretClient(vaultUrl, credential, options),
    keyClient: new KeyClient(vaultUrl, credential, options),
  };
}

async function linesTo(postgresqlPort: number, connectionString: string): Promise<Lines> {
  const portOf = (name: string) => Number(new URL(getPart(connectionString, name)).port);
  const [database, queue, table] = await Promise.all([
    lineTo(postgresqlPort),
    lineTo(portOf("QueueEndpoint")),
    lineTo(portOf("TableEndpoint")),
  ]);
  return { database, queue, table };
}

/** The storage account as the app sees it. */
export function throughLines({ storage, lines }: Services): string {
  const at = ({ port }: Line) => `http://127.0.0.1:${port}`;
  const queue = movedTo(storage, "QueueEndpoint", at(lines.queue));
  return movedTo(queue, "TableEndpoint", at(lines.table));
}
