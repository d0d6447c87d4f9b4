/** A chosen app, and how to sign in to it. */
export interface Connection {
  /** The address without a slash at the end; `/api/…` follows it. */
  readonly base: string;
  /** The host and the port, for messages. */
  readonly host: string;
  /** The headers of the sign-in. They contain secrets and must not be shown. */
  readonly signIn: () => Promise<Readonly<Record<string, string>>>;
  /** What the app rejects if it rejects the sign-in, such as "the function key in KEYTURN_KEY". */
  readonly credential: string;
  /** A sentence: what to do if the sign-in is rejected. */
  readonly advice: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The options that choose an app. */
export interface ConnectionOptions {
  readonly app?: string | undefined;
  readonly keyEnv?: string | undefined;
  readonly entra?: string | true | undefined;
}
