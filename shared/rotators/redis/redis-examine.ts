import { z } from "zod";
import type { Examination, Examine, Right } from "../rotator.ts";
import { isLackOfRight, toFailure, toLookError, toNoPasswordError } from "./redis-errors.ts";
import { describeNode, quoteWord, type RedisOptions } from "./redis-options.ts";
import { ask, describeLack, type Place, readUser } from "./redis-place.ts";
import { keepsNoUsers, whyNotInConfig } from "./redis-save.ts";
import type { User } from "./redis-user.ts";

/** What the authority may do. Undefined: the server does not say. */
interface Findings {
  readonly sets: boolean | undefined;
  readonly saves: boolean | undefined;
  readonly rewrites: boolean | undefined;
  /** Where the server keeps its users. */
  readonly keeps: "aclfile" | "config" | "nowhere" | undefined;
  /** Why it must not keep them in its configuration file. */
  readonly notInConfig?: string | undefined;
}

/** Examines one server. */
export async function examineAt(place: Place, call: Examine<RedisOptions>): Promise<Examination> {
  const user = await readUser(place);
  if (user?.isOpen === true) throw toNoPasswordError(place.where);
  const twin = call.twin === undefined ? undefined : await readUser(place, call.twin);
  const warnings = user && twin ? compareTwins(place, user, [call.twin ?? "", twin]) : [];
  const saves = call.options.persist === "auto";
  return {
    obstacles: call.isProven || call.using.as === "self" ? [] : judgeObstacles(place, user),
    right: judgeRight(place, await readFindings(place, saves), saves),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** Pure. */
function judgeObstacles({ account, node }: Place, user: User | undefined): readonly string[] {
  const at = describeNode(node);
  if (user === undefined)
    return [`Account \`${account}\` does not exist on ${at}. Create it there.`];
  if (user.isOn) return [];
  return [`Account \`${account}\` is off on ${at}. Run: ACL SETUSER ${quoteWord(account)} on.`];
}

/** Pure: whether the authority may change the account and, with `saves`, make the server keep the change. */
function judgeRight(place: Place, findings: Findings, saves: boolean): Right {
  const why =
    findings.sets === false
      ? describeLack(place, "+acl|setuser")
      : saves
        ? whyUnsaved(place, findings)
        : undefined;
  if (why !== undefined) return { is: "missing", why: `${why}.` };
  const isSaved = findings.saves && (findings.keeps === "aclfile" || findings.rewrites);
  return { is: findings.sets === true && (!saves || isSaved === true) ? "proven" : "likely" };
}

function whyUnsaved(
  place: Place,
  { saves, rewrites, keeps, notInConfig }: Findings,
): string | undefined {
  if (saves === false) return describeLack(place, "+acl|save");
  const unfit = keeps === "nowhere" ? keepsNoUsers : keeps === "config" ? notInConfig : undefined;
  if (unfit !== undefined) {
    return `Account \`${place.account}\` cannot be changed on ${describeNode(place.node)}: ${unfit}`;
  }
  return keeps === "config" && rewrites === false
    ? describeLack(place, "+config|rewrite")
    : undefined;
}

async function readFindings(place: Place, saves: boolean): Promise<Findings> {
  const sets = await may(place, "ACL", "SETUSER", place.account);
  const none = { saves: undefined, rewrites: undefined, keeps: undefined };
  if (sets !== true || !saves) return { sets, ...none };
  const keeps = await findKeeping(place);
  return {
    sets,
    saves: await may(place, "ACL", "SAVE"),
    rewrites: await may(place, "CONFIG", "REWRITE"),
    keeps,
    ...(keeps === "config" && { notInConfig: await whyNotInConfig(place) }),
  };
}

const aclfile = z.object({ aclfile: z.string() });

/** Undefined without the rights to read it, which a change does not need. */
async function findKeeping(place: Place): Promise<Findings["keeps"]> {
  const [read, info] = [["CONFIG", "GET", "aclfile"] as const, ["INFO", "server"] as const];
  if ((await may(place, ...read)) !== true) return undefined;
  const answer = aclfile.safeParse(await ask(place, read, describeLack(place, "+config|get"))).data;
  if (answer === undefined) return undefined;
  if (answer.aclfile !== "") return "aclfile";
  if ((await may(place, ...info)) !== true) return undefined;
  return /^config_file:\S/m.test(String(await ask(place, info, describeLack(place, "+info"))))
    ? "config"
    : "nowhere";
}

/** Whether the authority may send the command, which this does not run. Undefined: Redis before 7, or without +acl|dryrun. */
async function may(place: Place, ...words: readonly string[]): Promise<boolean | undefined> {
  try {
    return (await place.session.send(["ACL", "DRYRUN", place.me, ...words])) === "OK";
  } catch (error) {
    const failure = toFailure(error);
    if (isLackOfRight(failure) || (failure.reply ?? "").startsWith("ERR ")) return undefined;
    throw toLookError(failure, place.where);
  }
}

/** Pure: consumers use the other account of a pair after the change, and expect the same rights. */
function compareTwins(
  { account, node }: Place,
  user: User,
  [name, twin]: readonly [string, User],
): readonly string[] {
  const kinds = Object.keys(user.rights).filter((kind) => user.rights[kind] !== twin.rights[kind]);
  if (kinds.length === 0) return [];
  return [
    `Account \`${account}\` and its twin \`${name}\` differ on ${describeNode(node)} in their ${kinds.join(", ")}. Compare ACL GETUSER of both.`,
  ];
}
