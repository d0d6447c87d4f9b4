import type { Credential } from "../shared/core/secrets/secret.ts";
import type { Endpoint } from "../shared/core/target.ts";
import type { AzureIdentity, Rotator, Using } from "../shared/rotators/rotator.ts";
import type { CutProxy } from "./faults/cut-proxy.ts";

/** A rotator with the options of a target. */
export interface Aimed<Options> {
  readonly rotator: Rotator<Options>;
  readonly options: Options;
}

export interface Line<Options> {
  readonly proxy: CutProxy;
  readonly aimed: Aimed<Options>;
}

/** The running servers and their tools. Everything except `aimed` works without the rotator under test. */
export interface Fixture<Options> {
  readonly aimed: Aimed<Options>;
  readonly endpoint: Endpoint;
  /** Creates the account, or sets this secret for an existing one. The account may only log in. */
  readonly account: (name: string, secret: string) => Promise<void>;
  /** Tries a log-in with the plain client. */
  readonly logsIn: (account: string, secret: string) => Promise<boolean>;
  /** If `seesSessions` is set: logs in with the plain client and stays logged in; returns a function that closes the session. */
  readonly stay?: (account: string, secret: string) => Promise<() => Promise<void>>;
  /**
   * Everything stored about all accounts, to check that nothing changed. If it is a list with one entry for each account, in which a
   * changed secret shows, a change must differ in exactly one entry.
   */
  readonly snapshot: () => Promise<unknown>;
  /**
   * Everything about the account except its secret, such as its rights, which a change leaves alone. Give the accounts some, so that a
   * change could lose them.
   */
  readonly traits?: (account: string) => Promise<unknown>;
  /** Connections of the rotator that the servers still hold. */
  readonly openConnections: () => Promise<number>;
  /** The same target with all its servers at this port of 127.0.0.1. */
  readonly elsewhere: (port: number) => Aimed<Options>;
  /**
   * The same servers, which the rotator must not trust: without their CA, or under a name that is not in their certificate. Absent: that
   * the rotator verifies them is not tried.
   */
  readonly distrusted?: () => Aimed<Options>;
  /** The same target behind a proxy that can cut the line. Default: one of 127.0.0.1 that passes TLS through. */
  readonly line?: () => Promise<Line<Options>>;
  /** The admin, if `authorities` names admin. */
  readonly admin?: Credential;
  /** An account that logs in but may not change others, if `authorities` names admin. */
  readonly powerless?: Credential;
  /** The app's Azure identity, if the rotator logs in to the target with its token. Absent: changes with an identity go to Azure. */
  readonly identity?: AzureIdentity;
  /** If `refuses` is set: a secret that the target refuses for this account. No text has it by chance: the suite looks for it in errors. */
  readonly unacceptable?: Credential;
  /** If `losesReplies` is set: the next change takes effect, but its reply is lost. */
  readonly loseReply?: () => Promise<Aimed<Options>>;
  /** Log-ins that the servers have checked so far, including refused ones. */
  readonly logIns: () => Promise<number>;
  /** If `blocks` is set: blocks the log-in of the account, whatever its secret; returns a function that undoes it. */
  readonly block?: (account: string) => Promise<() => Promise<void>>;
  /** If `trusts` is set: permits log-ins of the account without its secret; returns a function that undoes it. */
  readonly trust?: (account: string) => Promise<() => Promise<void>>;
  /** If `overlaps` is set. */
  readonly overlap?: OverlapFixture<Options>;
  readonly stop: () => Promise<void>;
}

/** Tools of a server whose accounts can have two valid secrets. They work without the rotator under test. */
export interface OverlapFixture<Options> {
  /** Permits the account to keep an old secret when it changes itself. */
  readonly permit: (account: string) => Promise<void>;
  /** Makes these the only secrets of an existing account, the newest one first. */
  readonly hold: (account: string, secrets: readonly string[]) => Promise<void>;
  /** Makes the server wait before it carries out changes; returns a function that lets them go. Log-ins succeed meanwhile. */
  readonly pause: () => Promise<() => Promise<void>>;
  /** The changes that wait now. */
  readonly waiting: () => Promise<readonly number[]>;
  /** The same target behind a proxy that can cut the line, without TLS. */
  readonly plain: () => Promise<Line<Options>>;
  /** Texts of the statements that a change may send. The line is cut at each. */
  readonly statements: readonly string[];
}

export interface Subject<Options> extends SubjectFacts {
  readonly start: () => Promise<Fixture<Options>>;
}

/** What a rotator and its system can do. Most of it decides which clauses of the contract are tried. */
export interface SubjectFacts {
  /** The authorities that can make a change. */
  readonly authorities: readonly Using["as"][];
  /** Optional functions that the rotator does not have. */
  readonly lacks?: readonly ("examine" | "retire")[];
  /** The rotator takes an identity, but this server accepts no token. */
  readonly lacksTokens?: true;
  /** The only account; undefined if accounts can be created. */
  readonly onlyAccount?: string;
  /** No other account than `onlyAccount` is possible, so the rotator refuses other names itself. */
  readonly refusesNames?: true;
  /** Every call goes to the management API of a cloud, to which `connectWithin` does not apply. */
  readonly isManaged?: true;
  readonly refuses?: true;
  readonly losesReplies?: true;
  /** A proxy can stand between the rotator and the server (`elsewhere` or `line`), and lose the line at every place. */
  readonly hasLine?: true;
  /** Log-ins of the authority for one call. Default 1. */
  readonly logInsOfAuthority?: number;
  /** A session of its authority can stay open for the next call. */
  readonly stays?: true;
  /** It can find out whether a client is logged in as an account. */
  readonly seesSessions?: true;
  /** It can find out what blocks an account. "named": a refused log-in also names the obstacle. */
  readonly blocks?: "named" | "unnamed";
  /** The server can be set to permit log-ins of an account without a secret. */
  readonly trusts?: true;
  /** An account can have two valid secrets, and every authority in `authorities` except an identity can keep one. */
  readonly overlaps?: true;
  /** With `overlaps`: an account can have any number of valid secrets, so a change takes none away. */
  readonly keepsAll?: boolean;
  /** How certain the target is about the right of the authority. Default: proven. */
  readonly right?: "likely";
  /** Names and secrets for systems that the defaults do not fit. */
  readonly awkwardNames?: readonly string[];
  readonly awkwardSecrets?: readonly string[];
  /** Generates an ordinary secret. Default: 24 random bytes in base64url. */
  readonly makeSecret?: () => string;
}

/** Functions that a rotator may lack, and that a clause of their own tries. */
export const optional = ["examine", "retire", "hasSessions", "discard"] as const;

/** Whether the suite tries an optional function of the rotator. */
export function has(
  { authorities, lacks = [], seesSessions, overlaps }: SubjectFacts,
  name: (typeof optional)[number],
): boolean {
  const tried = {
    examine: !lacks.includes("examine"),
    retire: authorities.includes("admin") && !lacks.includes("retire"),
    hasSessions: seesSessions === true,
    discard: overlaps === true,
  };
  return tried[name];
}

export const awkwardNames = [
  "with space",
  "MiXed Case",
  `o'brien "the" \\ first`,
  `x"; DROP ROLE bystander; --`,
  "%I %L %s $1 ${x} {0}",
  "current_user",
  "bystander?x=1",
  "bystander#x",
  "bystander/x",
  "%2e",
  "naïve 用户 😀",
];

/** Names that a URL resolves away. A rotator may refuse them. */
export const dotNames = [".", ".."];

export const awkwardSecrets = [
  `'"\\'"\\`,
  "100% $1 ${x} {0} %s %%",
  "'; DROP ROLE bystander; --",
  "@:/?#[]&=+;,",
  " leading and trailing ",
  "ünï-€-用户-😀",
  "x".repeat(128),
];
