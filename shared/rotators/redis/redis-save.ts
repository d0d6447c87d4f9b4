import { z } from "zod";
import { ChangeRefusedError, OutcomeUnknownError } from "../../core/errors.ts";
import {
  type Failure,
  isLackOfRight,
  noAclFile,
  noConfigFile,
  toFailure,
  toLookError,
} from "./redis-errors.ts";
import { describeLack, type Place } from "./redis-place.ts";

/** Why a server has not saved its users: a whole sentence, or the failure without an answer. */
type Unsaved = { readonly why: string } | { readonly lost: Failure };

export const keepsNoUsers =
  "the server has neither an ACL file nor a configuration file, so a restart would bring the old password back. " +
  "Set aclfile on the server, or set options.persist to none if something else restores its users";

/**
 * Why a server must not write its configuration file: it writes all its users as they are, and does not start with a quote among them,
 * or reads something else. An ACL file has no such problem. Without +acl|list, only the name of the account is known.
 */
export async function whyNotInConfig(place: Place): Promise<string | undefined> {
  const { answer } = await attempt(place, ["ACL", "LIST"]);
  const lines = z.array(z.string()).safeParse(answer).data ?? [`user ${place.account}`];
  const quoted = lines.find((line) => /["']/.test(line));
  if (quoted === undefined) return undefined;
  const [, name = ""] = /^user (\S+)/.exec(quoted) ?? [];
  return (
    "the server keeps its users in its configuration file, where a quote would prevent its next start. " +
    `User \`${name}\` has one, in its name or a pattern. Set aclfile on the server, or remove the quote`
  );
}

/** Proves that the server can save its users, by saving them as they are. Throws if it cannot. */
export async function requireSaving(place: Place): Promise<void> {
  const unsaved = await save(place);
  if (unsaved === undefined) return;
  if ("lost" in unsaved) throw toLookError(unsaved.lost, place.where);
  throw new ChangeRefusedError(`${place.where}: ${unsaved.why}`);
}

/** Saves a change that has been made. */
export async function saveChange(place: Place): Promise<void> {
  const unsaved = await save(place);
  if (unsaved === undefined) return;
  const why = "why" in unsaved ? unsaved.why : "the connection was lost";
  throw new OutcomeUnknownError(
    `${place.where}: the change was made, but the server may not have saved it, and a restart would undo it: ${why}`,
  );
}

/** Tries the ACL file first: with one, CONFIG REWRITE would succeed without saving users. */
async function save(place: Place): Promise<Unsaved | undefined> {
  const { failure: inFile } = await attempt(place, ["ACL", "SAVE"]);
  if (inFile === undefined || !noAclFile.test(inFile.reply ?? "")) {
    return inFile && explain(place, inFile, "+acl|save");
  }
  const why = await whyNotInConfig(place);
  if (why !== undefined) return { why };
  const { failure: inConfig } = await attempt(place, ["CONFIG", "REWRITE"]);
  if (inConfig === undefined) return undefined;
  if (noConfigFile.test(inConfig.reply ?? "")) return { why: keepsNoUsers };
  return explain(place, inConfig, "+config|rewrite");
}

interface Attempt {
  readonly answer?: unknown;
  readonly failure?: Failure;
}

async function attempt({ session }: Place, words: readonly string[]): Promise<Attempt> {
  try {
    return { answer: await session.send(words) };
  } catch (error) {
    return { failure: toFailure(error) };
  }
}

function explain(place: Place, failure: Failure, right: string): Unsaved {
  if (failure.reply === undefined) return { lost: failure };
  if (isLackOfRight(failure)) return { why: describeLack(place, right) };
  return {
    why: "the server cannot write the file that has its users. Its log names the reason, such as a full disk or a read-only file",
  };
}
