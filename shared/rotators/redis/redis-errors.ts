import { explainCode } from "../common/connection/lost-line.ts";
import {
  config,
  type Meaning,
  refused,
  unavailable,
  unknown,
} from "../common/connection/meaning.ts";

/** The parts of a driver's error that decide what it means. Only the first word of a reply may appear in messages. */
export interface Failure {
  /** The error reply of the server. It may repeat words of the command, and so a secret. Absent without an answer. */
  readonly reply?: string;
  /** The code of the system or the TLS library, such as ECONNREFUSED. */
  readonly code?: string;
}

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return {};
  // Every reply that is an error has a class of its own, and begins with a word in capitals.
  if (/^(?:Simple|Blob)Error$/.test(error.constructor.name)) return { reply: error.message };
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? { code } : {};
}

/** Replies that mean the same after every command. */
const replies: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^ERR max number of clients/,
    unavailable("the server accepts no more connections (maxclients). Close some, or raise it"),
  ],
  [
    /^DENIED /,
    unavailable(
      "the server is in protected mode, so it accepts connections of its own machine only. Give its user default a password, or set bind",
    ),
  ],
  [/^LOADING /, unavailable("the server is loading its data")],
  [/^BUSY /, unavailable("a script blocks the server. Run SCRIPT KILL or FUNCTION KILL, or wait")],
  [/^MASTERDOWN /, unavailable("the server is a replica and has lost its primary server")],
  [
    /^NOAUTH /,
    unavailable(
      "the server ended the log-in of the authority, perhaps because it reloaded its users",
    ),
  ],
  [
    /^ERR unknown (?:sub)?command/i,
    config(
      "the server does not know the command. Users need Redis 6 or later, or Valkey, without renamed ACL commands",
    ),
  ],
  [/^NOPROTO /, config("the server does not speak RESP3. Users need Redis 6 or later, or Valkey")],
];

/** Another change has removed the hash meanwhile. The reply refuses the whole command. */
export const noSuchHash = /The password you are trying to remove from the user does not exist/;
/** Why a server cannot save its users in the one way, so that the other one remains. */
export const noAclFile = /not configured to use an ACL file/;
export const noConfigFile = /running without a config file/;

/** A reset during the log-in has more causes than elsewhere: over TLS, the server cannot explain a refusal. */
const resetAtLogin =
  "the connection was reset. The server may have reached maxclients, may speak no TLS on this port, or may require it";

/** The result of a log-in that failed. `late` says that the time is over. */
export function toLoginVerdict(
  failure: Failure,
  where: string,
  late: string | undefined,
): "rejected" | Error {
  const { reply = "", code } = failure;
  if (reply.startsWith("WRONGPASS ")) return "rejected";
  if (late !== undefined && failure.reply === undefined) return unavailable(late)(where);
  if (code === "ECONNRESET" || code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER")
    return unavailable(resetAtLogin)(`${where}, ${code}`);
  return toLookError(failure, where);
}

/** The error for any failure of a command that changes nothing. `lack` is the sentence for a missing right. */
export function toLookError(
  failure: Failure,
  where: string,
  lack = "the account lacks a right",
): Error {
  const { reply, code = "no answer" } = failure;
  if (reply === undefined) {
    const sentence = explainCode(code, "options.tls.caFile") ?? "the connection was lost";
    return unavailable(sentence)(`${where}, ${code}`);
  }
  if (reply.startsWith("NOPERM ")) return refused(lack)(worded(reply, where));
  const meaning = findMeaning(reply) ?? unavailable("the server refuses the query");
  return meaning(worded(reply, where));
}

/** The error for a command of a change that failed. Without an answer of the server, it may have had an effect. */
export function toChangeError(failure: Failure, where: string, lack: string): Error {
  const { reply } = failure;
  if (reply === undefined) {
    return unknown(
      "the connection was lost while the change was being made, so it may have been made",
    )(where);
  }
  if (reply.startsWith("NOPERM ")) return refused(lack)(worded(reply, where));
  const meaning = findMeaning(reply) ?? refused("the server refuses the change");
  return meaning(worded(reply, where));
}

export const isLackOfRight = ({ reply = "" }: Failure): boolean => reply.startsWith("NOPERM ");
export const isWrongPassword = ({ reply = "" }: Failure): boolean => reply.startsWith("WRONGPASS ");

/** The error for a user that the server lets in with any password. */
export const toNoPasswordError: Meaning = config(
  "the server accepts any password of this account (nopass), so a log-in proves nothing. " +
    "Give it one with ACL SETUSER … >password, or rotate another account",
);

const findMeaning = (reply: string): Meaning | undefined =>
  replies.find(([pattern]) => pattern.test(reply))?.[1];

const worded = (reply: string, where: string): string =>
  `${where}, error ${/^[A-Z]+\b/.exec(reply)?.[0] ?? "?"}`;
