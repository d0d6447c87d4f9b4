import { AuthorityRefusedError, ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { makeKeptSessions } from "../connection/kept-sessions.ts";
import type { Retire } from "../rotator.ts";
import { toFailure, toLookError, toNoPasswordError } from "./redis-errors.ts";
import {
  describeAccount,
  describeNode,
  listNodes,
  type Node,
  type RedisOptions,
} from "./redis-options.ts";
import { logIn, type Session } from "./redis-session.ts";
import { parseUser, type User } from "./redis-user.ts";

export type Call = Retire<RedisOptions>;

/** The session of the authority at one server. */
export interface Place {
  readonly node: Node;
  readonly session: Session;
  readonly account: string;
  /** The name of the authority. */
  readonly me: string;
  /** Server and account, for messages. */
  readonly where: string;
}

const kept = makeKeptSessions<Session>();

/** Keeps a session that has just proven the credential. */
export function keepSession(node: Node, credential: Credential, session: Session): void {
  kept.keep({ options: node, credential, mayStay: true }, session);
}

/** Runs the work with a session at every server. Nothing is done if one of them refuses the authority, or cannot be reached. */
export async function withPlaces<Result>(
  call: Call,
  signal: AbortSignal,
  work: (places: readonly Place[]) => Promise<Result>,
): Promise<Result | Refused> {
  const { options, account, using, connectWithin, mayStay = false, isLast = false } = call;
  if (using.as === "identity") {
    throw new ConfigError(
      `Redis account ${account}: Redis does not accept tokens of Azure. Set admin to the secret of an admin`,
    );
  }
  const { credential } = using;
  const nodes = listNodes(options);

  async function open(places: readonly Place[]): Promise<Result | Refused> {
    const node = nodes[places.length];
    if (node === undefined) return work(places);
    const log = () => logIn(node, credential, { signal, connectWithin });
    const authorization = { options: node, credential, mayStay, isLast };
    const outcome = await kept.use(authorization, signal, log, async (session) => {
      const place = toPlace(node, session);
      await requireOwnPassword(place);
      return open([...places, place]);
    });
    return outcome === "rejected" ? { refusedBy: node } : outcome;
  }
  const toPlace = (node: Node, session: Session): Place => ({
    node,
    session,
    account,
    me: credential.account,
    where: describeAccount(node, account),
  });
  return open([]);
}

/** The server that refused the credential of the authority. */
export interface Refused {
  readonly refusedBy: Node;
}

export const isRefused = (outcome: unknown): outcome is Refused =>
  typeof outcome === "object" && outcome !== null && "refusedBy" in outcome;

/** Does the same, but throws if a server refuses the credential. */
export async function atPlaces<Result>(
  call: Call,
  signal: AbortSignal,
  work: (places: readonly Place[]) => Promise<Result>,
): Promise<Result> {
  const outcome = await withPlaces(call, signal, async (places) => ({
    result: await work(places),
  }));
  if ("result" in outcome) return outcome.result;
  const who = call.using.as === "identity" ? "" : call.using.credential.account;
  throw new AuthorityRefusedError(
    `${describeAccount(outcome.refusedBy, call.account)}: the server refuses the password of ${who}, the account that makes the change, or that account is off`,
  );
}

/** An authority that logs in with any password proves nothing. */
async function requireOwnPassword(place: Place): Promise<void> {
  const me = await readUser(place, place.me);
  if (me?.isOpen === true) throw toNoPasswordError(describeAccount(place.node, place.me));
}

/** Reads a user. Undefined: it does not exist. */
export async function readUser(place: Place, name = place.account): Promise<User | undefined> {
  const answer = await ask(place, ["ACL", "GETUSER", name], "+acl|getuser");
  try {
    return parseUser(answer);
  } catch {
    throw new TargetUnavailableError(
      `${place.where}: the server describes its users in a form that Keyturn does not know`,
    );
  }
}

/** Sends a command that changes nothing. `right` is what it needs. */
export async function ask(place: Place, words: readonly string[], right: string): Promise<unknown> {
  try {
    return await place.session.send(words);
  } catch (error) {
    throw toLookError(toFailure(error), place.where, describeLack(place, right));
  }
}

/** What is missing, and how to grant it. */
export const describeLack = ({ me, account, node }: Place, right: string): string =>
  `Account \`${account}\` cannot be changed: \`${me}\` lacks ${right} on ${describeNode(node)}. Run: ACL SETUSER ${me} ${right}`;
