import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { makeKeptSessions } from "../common/connection/kept-sessions.ts";
import { requireAccepted } from "../common/connection/require-accepted.ts";
import type { Retire } from "../rotator.ts";
import { toFailure, toLookError, toNoPasswordError } from "./redis-errors.ts";
import {
  describeAccount,
  describeNode,
  type Node,
  quoteWord,
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

/** Runs the work with a session of the authority. "rejected" means that the server refused the credential of the authority. */
export async function withPlace<Result>(
  call: Call,
  node: Node,
  signal: AbortSignal,
  work: (place: Place) => Promise<Result>,
): Promise<Result | "rejected"> {
  const { account, using, connectWithin, mayStay = false, isLast = false } = call;
  if (using.as === "identity") {
    throw new ConfigError(
      `${describeAccount(node, account)}: the server does not accept tokens of Azure. Set admin to the secret of an admin`,
    );
  }
  const { credential } = using;
  const authorization = { options: node, credential, mayStay, isLast };
  const log = () => logIn(node, credential, { signal, connectWithin });
  return kept.use(authorization, signal, log, async (session) => {
    const { engine } = session;
    const place: Place = {
      node,
      session,
      account,
      me: credential.account,
      where: describeAccount(node, account, engine),
    };
    // An authority that logs in with any password proves nothing.
    const me = await readUser(place, place.me);
    if (me?.isOpen === true) throw toNoPasswordError(describeAccount(node, place.me, engine));
    return work(place);
  });
}

/** Does the same, but throws if the server refuses the credential. */
export async function atPlace<Result>(
  call: Call,
  node: Node,
  signal: AbortSignal,
  work: (place: Place) => Promise<Result>,
): Promise<Result> {
  const outcome = await withPlace(call, node, signal, async (place) => ({
    result: await work(place),
  }));
  const who = call.using.as === "identity" ? "" : call.using.credential.account;
  return requireAccepted(
    outcome,
    () =>
      `${describeAccount(node, call.account)}: the server refuses the password of ${who}, the account that makes the change, or that account is off`,
  ).result;
}

/** Reads a user. Undefined: it does not exist. */
export async function readUser(place: Place, name = place.account): Promise<User | undefined> {
  const answer = await ask(place, ["ACL", "GETUSER", name], describeLack(place, "+acl|getuser"));
  try {
    return parseUser(answer);
  } catch {
    throw new TargetUnavailableError(
      `${place.where}: the server describes its users in a form that Keyturn does not know`,
    );
  }
}

/** Sends a command that changes nothing. `lack` says what is impossible without the right to send it. */
export async function ask(place: Place, words: readonly string[], lack: string): Promise<unknown> {
  try {
    return await place.session.send(words);
  } catch (error) {
    throw toLookError(toFailure(error), place.where, lack);
  }
}

/** What is missing, and how to grant it. */
export const describeLack = (place: Place, right: string): string =>
  `Account \`${place.account}\` cannot be changed: ${describeGrant(place, right)}`;

export const describeGrant = ({ me, node }: Place, right: string): string =>
  `\`${me}\` lacks ${right} on ${describeNode(node)}. Run: ACL SETUSER ${quoteWord(me)} ${right}`;
