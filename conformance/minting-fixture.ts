import type { Credential } from "../shared/core/secrets/secret.ts";
import type { Endpoint } from "../shared/core/target.ts";
import type { Using } from "../shared/rotators/rotator.ts";
import type { Aimed } from "./rotator-fixture.ts";

/** A system that creates its secrets, and its tools. Everything except `aimed` works without the rotator under test. */
export interface MintingFixture<Options> {
  readonly aimed: Aimed<Options>;
  readonly endpoint: Endpoint;
  /** Who lets the system create secrets. */
  readonly using: Using;
  /** Gives the system secrets that nobody has seen, and returns them: those of the pair, or one of the account. */
  reset(): Promise<readonly Credential[]>;
  /** Tries the secret with a plain client. */
  works(credential: Credential): Promise<boolean>;
  /** Everything stored about all accounts, to check that nothing changed. */
  snapshot(): unknown;
  /** Requests that create or replace secrets, which have arrived so far. */
  creations(): number;
  /** The next such request takes effect, but its answer is lost. */
  loseReply(): void;
  /** The system refuses the next such request. */
  refuse(): void;
  /** If secrets are side by side: how many the account has. */
  count?(): number;
  /** If `knowsRights` is set: the same target with an authority that may only read. */
  readonly powerless?: Aimed<Options>;
  /** If `hasLine` is set: the same target with everything at this port of 127.0.0.1. */
  elsewhere?(port: number): Aimed<Options>;
  /** Connections that are open. */
  openConnections?(): number;
  stop(): Promise<void>;
}

export interface MintingSubject<Options> extends MintingFacts {
  start(): Promise<MintingFixture<Options>>;
}

/** What the rotator and its system can do. It decides which clauses of the contract are tried. */
export interface MintingFacts {
  /** `pair`: two keys that take turns. `beside`: one account with any number of secrets side by side. */
  readonly mints: "pair" | "beside";
  /** An account that the options permit, but that the system does not have. Absent: there is none. */
  readonly stranger?: string;
  /** The system has no connection strings, although others of the same type have. */
  readonly lacksText?: boolean;
  /** Identities may have the right to read and not the right to create (`powerless`). */
  readonly knowsRights?: true;
  /** The rotator reaches the system by a network (`elsewhere`). */
  readonly hasLine?: true;
  /** The rotator can find out what became of a request whose answer was lost. */
  readonly settles?: true;
}

/** Texts in which consumers may find the secret. */
export const publishedForms: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  "a connection string": (secret) => `Name=orders;Key=${secret};Suffix=example.net`,
  JSON: (secret) => JSON.stringify({ account: "other", password: secret }),
  "JSON with escaped slashes": (secret) =>
    JSON.stringify({ password: secret }).replaceAll("/", String.raw`\/`),
  "JSON in JSON": (secret) => JSON.stringify({ value: JSON.stringify({ password: secret }) }),
  "JSON without markup": (secret) => JSON.stringify({ secret }).replaceAll("+", "\\u002b"),
  "a URL": (secret) => `amqps://orders:${encodeURIComponent(secret)}@example.net`,
  "a URL in lower case": (secret) =>
    encodeURIComponent(secret).replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  "a URL in a URL": (secret) => encodeURIComponent(encodeURIComponent(secret)),
};
