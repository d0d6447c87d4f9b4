import { inspect } from "node:util";
import { expect } from "vitest";

export interface SecretKeeper {
  /** Remembers a secret, a new one by default, and returns it. */
  keep(secret?: string): string;
  /** Checks that no text of this error contains a secret seen so far. */
  expectNoneIn(error: unknown): void;
}

export function secretKeeper(make: () => string): SecretKeeper {
  const kept = new Set<string>();
  return {
    keep(secret = make()) {
      kept.add(secret);
      return secret;
    },
    expectNoneIn(error) {
      const told = everythingToldBy(error);
      const leaked = [...kept].filter((secret) =>
        spellings(secret).some((one) => told.includes(one)),
      );
      expect(leaked).toEqual([]);
    },
  };
}

function spellings(secret: string): string[] {
  const base64 = Buffer.from(secret).toString("base64").replace(/=+$/, "");
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    base64,
  ];
}

function everythingToldBy(error: unknown): string {
  const told: string[] = [];
  for (let link: unknown = error; link !== undefined && link !== null;) {
    told.push(inspect(link, { depth: 10, showHidden: true, maxStringLength: null }));
    told.push(inspect(link, { depth: 10, customInspect: false, maxStringLength: null }));
    told.push(JSON.stringify(link));
    if (!(link instanceof Error)) break;
    told.push(String(link), link.message, link.stack ?? "");
    link = link.cause;
  }
  return told.join("\n");
}
