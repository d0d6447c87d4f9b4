import { randomBytes } from "node:crypto";
import { ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { type Keepable, toKeepable } from "../connection/kept-sessions.ts";
import {
  isWrongPassword,
  toFailure,
  toLoginVerdict,
  toLookError,
  toNoPasswordError,
} from "./redis-errors.ts";
import { type Line, type LineOptions, openLine } from "./redis-line.ts";
import { describeAccount, type Node } from "./redis-options.ts";

export interface Session extends Keepable {
  /** See `Line.send`. */
  send(words: readonly string[]): Promise<unknown>;
}

/** Opens a new connection, or returns "rejected" if the server checked the credential and refused it. */
export async function logIn(
  node: Node,
  credential: Credential,
  lineOptions: LineOptions,
): Promise<Session | "rejected"> {
  const where = describeAccount(node, credential.account);
  // The driver would not log in at all.
  if (credential.secret.reveal() === "") throw new ConfigError(`${where}: the secret is empty`);
  const line = await openLine(node, credential, lineOptions);
  const failure = await line.connect();
  if (failure === undefined) return toSession(line);
  line.close();
  const verdict = toLoginVerdict(failure, where, line.late());
  if (verdict === "rejected") return verdict;
  throw verdict;
}

/**
 * Throws if the server lets the account in with any password. Only a second log-in with a wrong password can show that: an account needs
 * rights to read about itself. The server lists it as a refused log-in (ACL LOG). The session stays logged in.
 */
export async function requireCheck(
  session: Session,
  node: Node,
  { account }: Credential,
): Promise<void> {
  const where = describeAccount(node, account);
  try {
    await session.send(["AUTH", account, randomBytes(24).toString("base64url")]);
  } catch (error) {
    const failure = toFailure(error);
    if (isWrongPassword(failure)) return;
    throw toLookError(failure, where);
  }
  throw toNoPasswordError(where);
}

function toSession(line: Line): Session {
  const keepable = {
    ...line,
    close: () => {
      line.close();
      return Promise.resolve();
    },
  };
  // Every user may send HELLO.
  const ask = () => line.send(["HELLO"]);
  return { send: (words) => line.send(words), ...toKeepable(keepable, ask) };
}
