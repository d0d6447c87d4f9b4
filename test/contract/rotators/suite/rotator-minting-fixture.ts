import { inspect } from "node:util";
import { expect } from "vitest";
import type { Aimed } from "../../../../conformance/rotator-fixture.ts";
import type { SecretKeeper } from "../../../../conformance/secret-keeper.ts";
import type { Credential } from "../../../../shared/core/secrets/secret.ts";
import type { Endpoint } from "../../../../shared/core/target.ts";
import type { AzureIdentity } from "../../../../shared/rotators/rotator.ts";

/** A system that creates its secrets, and its tools. Everything except `aimed` works without the rotator under test. */
export interface MintingFixture<Options> {
  readonly aimed: Aimed<Options>;
  readonly endpoint: Endpoint;
  readonly using: AzureIdentity;
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
  /** The same target with an identity that may only read. Absent: the system knows no rights. */
  readonly powerless?: Aimed<Options>;
  /** The same target with everything at this port of 127.0.0.1. Absent: the system is in memory. */
  elsewhere?(port: number): Aimed<Options>;
  /** Connections that are open. */
  openConnections?(): number;
  stop(): Promise<void>;
}

export interface MintingSubject<Options> {
  /** Two keys that take turns, or one account with any number of secrets. */
  readonly kind: "pair" | "overlapping";
  /** An account that the options permit, but that the system does not have. Absent: there is none. */
  readonly stranger?: string;
  /** The system has no connection strings, although others of the same type have. */
  readonly lacksText?: boolean;
  start(): Promise<MintingFixture<Options>>;
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

/** Checks that a promise fails with this kind of error, and that the error contains no secret. */
export function failingAs(keeper: SecretKeeper) {
  return async (
    kind: abstract new (...args: never[]) => Error,
    promise: Promise<unknown>,
  ): Promise<void> => {
    const error: unknown = await promise.then(
      (value) => expect.unreachable(`should fail, but gave ${inspect(value)}`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    keeper.expectNoneIn(error);
  };
}
