import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { type Keepable, toKeepable } from "../common/connection/kept-sessions.ts";
import {
  isWrongPassword,
  toFailure,
  toLoginVerdict,
  toLookError,
  toNoPasswordError,
} from "./redis-errors.ts";
import { type Line, type LineOptions, openLine } from "./redis-line.ts";
import { describeAccount, type Engine, type Node } from "./redis-options.ts";

export interface Session extends Keepable {
  readonly engine: Engine;
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
  if (failure === undefined) return toSession(line, await readEngine(line));
  // A closed line no longer hears its signal.
  const late = line.late();
  line.close();
  const verdict = toLoginVerdict(failure, where, late);
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
  const where = describeAccount(node, account, session.engine);
  try {
    await session.send(["AUTH", account, randomBytes(24).toString("base64url")]);
  } catch (error) {
    const failure = toFailure(error);
    if (isWrongPassword(failure)) return;
    throw toLookError(failure, where);
  }
  throw toNoPasswordError(where);
}

/** Every user may send it. */
const hello = ["HELLO"];

const greeting = z.looseObject({ server: z.string() });
const engines: Partial<Record<string, Engine>> = { redis: "Redis", valkey: "Valkey" };

/** Never fails: if the line is lost, the next command reports it. */
async function readEngine(line: Line): Promise<Engine> {
  const answer = await line.send(hello).catch(() => undefined);
  return engines[greeting.safeParse(answer).data?.server ?? ""];
}

function toSession(line: Line, engine: Engine): Session {
  const keepable = {
    ...line,
    close: () => {
      line.close();
      return Promise.resolve();
    },
  };
  const ask = () => line.send(hello);
  return { engine, send: (words) => line.send(words), ...toKeepable(keepable, ask) };
}
