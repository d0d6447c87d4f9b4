import type { Credential } from "../../../../shared/core/secrets/secret.ts";
import type { Endpoint } from "../../../../shared/core/target.ts";
import type { Rotator, Using } from "../../../../shared/rotators/rotator.ts";

/** A rotator with options that lead it somewhere. */
export interface Aimed<Options> {
  readonly rotator: Rotator<Options>;
  readonly options: Options;
}

/** What is there once the servers run. Everything but `aimed` works without the rotator under test. */
export interface Fixture<Options> {
  readonly aimed: Aimed<Options>;
  readonly endpoint: Endpoint;
  /** Makes the account, or gives the one that there is this secret. It may log in and nothing else. */
  account(name: string, secret: string): Promise<void>;
  /** Tries with the plain client. */
  logsIn(account: string, secret: string): Promise<boolean>;
  /** Where `seesSessions` is set: logs in with the plain client and stays; returns how to leave. */
  stay?(account: string, secret: string): Promise<() => Promise<void>>;
  /** All that is stored about all accounts, to see that nothing changed. */
  snapshot(): Promise<unknown>;
  /** Connections of the rotator that the servers still hold. */
  openConnections(): Promise<number>;
  /** The same target, were all its servers at this port of 127.0.0.1. */
  elsewhere(port: number): Aimed<Options>;
  /** Where `authorities` names admin. */
  readonly admin?: Credential;
  /** Logs in but may not change other accounts. Where `authorities` names admin. */
  readonly powerless?: Credential;
  /** Where `refuses` is set: a secret that the target does not take for this account. */
  readonly unacceptable?: Credential;
  /** Where `losesReplies` is set: the next change is carried out, its reply is lost. */
  loseReply?(): Promise<Aimed<Options>>;
  /** Log-ins that the servers have looked at so far, refused ones included. */
  logIns(): Promise<number>;
  /** Where `blocks` is set: keeps the account from logging in, whatever its secret is; returns how to undo that. */
  block?(account: string): Promise<() => Promise<void>>;
  /** Where `trusts` is set: lets the account in without asking for its secret; returns how to undo that. */
  trust?(account: string): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export interface Subject<Options> {
  /** With what a change can be made. */
  readonly authorities: readonly Using["as"][];
  /** The only account there is; undefined: any can be made. */
  readonly onlyAccount?: string;
  readonly refuses?: true;
  readonly losesReplies?: true;
  /** A log-in of its authority can stay open for the next call. */
  readonly stays?: true;
  /** It can tell whether somebody is logged in as an account. */
  readonly seesSessions?: true;
  /** It can be asked what blocks an account. "named": a refused log-in names the obstacle too. */
  readonly blocks?: "named" | "unnamed";
  /** The server can be set to let an account in without a secret. */
  readonly trusts?: true;
  /** How sure the target is of the authority's right. Default: proven. */
  readonly right?: "likely";
  /** Where the defaults do not fit. */
  readonly awkwardNames?: readonly string[];
  readonly awkwardSecrets?: readonly string[];
  /** A secret of ordinary shape. Default: 24 random bytes in base64url. */
  readonly makeSecret?: () => string;
  start(): Promise<Fixture<Options>>;
}

export const awkwardNames = [
  "with space",
  "MiXed Case",
  `o'brien "the" \\ first`,
  `x"; DROP ROLE bystander; --`,
  "%I %L %s $1 ${x} {0}",
  "current_user",
  "naïve 用户 😀",
];

export const awkwardSecrets = [
  `'"\\'"\\`,
  "100% $1 ${x} {0} %s %%",
  "'; DROP ROLE bystander; --",
  "@:/?#[]&=+;,",
  " leading and trailing ",
  "ünï-€-用户-😀",
  "x".repeat(128),
];
