import { setTimeout as pause } from "node:timers/promises";
import type { SecretClient } from "@azure/keyvault-secrets";
import type { Database } from "./database.ts";
import { readPublished, type Stored } from "./stored.ts";
import type { SoakTarget } from "./targets.ts";

/** Milliseconds that a consumer uses a version it has read. Shorter than the grace of every pair. */
export const cacheMs = 4_000;
const logInEveryMs = 1_000;

/** Callbacks for the events of consumers. */
export interface ConsumerReader {
  loggedIn(): void;
  /** The database refused the version that the consumer had read. */
  refused(target: SoakTarget, version: string): void;
  /** Called with the milliseconds from a refusal to the first log-in that works. */
  gapEnded(target: SoakTarget, lengthMs: number): void;
}

export interface Consumer {
  /** The version that it uses now. */
  version(): string | undefined;
  end(): Promise<void>;
}

/**
 * An application that caches the secret, like references of AKS and App Service. It reads the secret again every few seconds and
 * after a refusal.
 */
export function consume(
  target: SoakTarget,
  places: { readonly secrets: SecretClient; readonly database: Database },
  reader: ConsumerReader,
): Consumer {
  const { secrets, database } = places;
  const ending = new AbortController();
  const hasEnded = () => ending.signal.aborted;
  let held: { readonly credential: Stored; readonly readAt: number } | undefined;
  let gapSince: number | undefined;

  const read = async () => {
    const credential = await readPublished(secrets, target.id);
    // While the vault is unreadable, an application continues with its cached version.
    if (credential !== undefined) held = { credential, readAt: performance.now() };
  };

  const tryToLogIn = async (): Promise<boolean> => {
    if (held === undefined || performance.now() - held.readAt > cacheMs) await read();
    if (held === undefined) return true;
    const { username, password, version } = held.credential;
    const answer = await database.logIn(username, password);
    if (answer === "accepted") {
      reader.loggedIn();
      if (gapSince !== undefined) reader.gapEnded(target, performance.now() - gapSince);
      gapSince = undefined;
    }
    if (answer === "refused") {
      reader.refused(target, version);
      gapSince ??= performance.now();
    }
    return answer !== "refused";
  };

  const running = (async () => {
    while (!hasEnded()) {
      if (!(await tryToLogIn())) {
        await read();
        await tryToLogIn();
      }
      await pause(logInEveryMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return {
    version: () => held?.credential.version,
    async end() {
      ending.abort();
      await running;
    },
  };
}
