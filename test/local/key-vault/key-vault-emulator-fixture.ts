import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretClient } from "@azure/keyvault-secrets";
import { onTestFinished } from "vitest";
import {
  type KeyVaultEmulator,
  type KeyVaultEmulatorOptions,
  startKeyVaultEmulator,
} from "../../../local/key-vault/emulator.ts";

export interface TestVault {
  readonly emulator: KeyVaultEmulator;
  readonly client: SecretClient;
  /** Sends a request with a valid token; `path` starts with a slash. */
  readonly send: (method: string, path: string, init?: RequestInit) => Promise<Response>;
}

export const TOKEN = randomUUID();

/** Starts an emulator that is closed when the test ends. Expiry is checked only by `tick`. */
export async function startVault(
  options: Partial<KeyVaultEmulatorOptions> = {},
): Promise<TestVault> {
  const emulator = await startKeyVaultEmulator({
    acceptsToken: (token) => token === TOKEN,
    tickEveryMs: 0,
    ...options,
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await emulator.close();
    closed = true;
  };
  onTestFinished(close);
  return {
    emulator: { ...emulator, close },
    client: clientFor(emulator.url),
    send: (method, path, init) => sendTo(emulator.url, method, path, init),
  };
}

export const sendTo = (
  url: string,
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> =>
  fetch(`${url}${path}${path.includes("?") ? "&" : "?"}api-version=2026-04-01`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    ...init,
  });

/** The official client, with the two options that plain HTTP requires. */
const clientFor = (url: string): SecretClient =>
  new SecretClient(
    url,
    {
      getToken: () => Promise.resolve({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
    },
    {
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
      retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 10 },
    },
  );

/** A clock that the test moves. */
export function createClock(start = "2026-11-22T00:00:00.250Z") {
  let now = Date.parse(start);
  return {
    now: () => new Date(now),
    advance(ms: number): void {
      now += ms;
    },
  };
}

/** Options for `expect.poll` that are long enough for a busy machine. */
export const PATIENT = { timeout: 20_000, interval: 5 };

export const DAY = 86_400_000;

/** Returns a new path in a folder that is deleted when the test ends. */
export async function vaultFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-vault-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "data", "vault.jsonl");
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
