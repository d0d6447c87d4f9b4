import { setTimeout as pause } from "node:timers/promises";
import type { SecretClient } from "@azure/keyvault-secrets";
import type { Database } from "./database.ts";
import { readPublished, type Stored } from "./stored.ts";
import type { SoakTarget } from "./targets.ts";

/** How long a consumer uses what it has read. Shorter than the grace of every pair. */
export const cacheMs = 4_000;
const logInEveryMs = 1_000;

/** What happens to consumers, told as it happens. */
export interface ConsumerReader {
  loggedIn(): void;
  /** The database refused what the consumer had read. */
  refused(target: SoakTarget, version: string): void;
  /** The first log-in that worked after a refusal came so many milliseconds later. */
  gapEnded(target: SoakTarget, lengthMs: number): void;
}

export interface Consumer {
  /** The version that it uses now. */
  version(): string | undefined;
  end(): Promise<void>;
}

/**
 * An application that keeps what it read from the vault, as references of AKS and App Service do. It reads again every
 * few seconds and when it is refused.
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
    // When the vault gives nothing out, an application goes on with what it has.
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
