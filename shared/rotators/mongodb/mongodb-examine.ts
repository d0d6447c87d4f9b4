import { BlockList, isIP } from "node:net";
import type { Document } from "mongodb";
import { z } from "zod";
import { describeUncompared } from "../common/connection/twins.ts";
import type { Examination, Examine, Right } from "../rotator.ts";
import { isUnanswerable } from "./mongodb-errors.ts";
import { isScram } from "./mongodb-mechanisms.ts";
import { isOnDocumentDb, type MongodbOptions } from "./mongodb-options.ts";
import {
  describeLackOfPassword,
  describeUnableToSee,
  listPrivileges,
  type Privileges,
} from "./mongodb-rights.ts";
import type { Session } from "./mongodb-session.ts";
import { compareTwins } from "./mongodb-twins.ts";

/** A client must meet one restriction, with all its parts, to log in. */
const restrictions = z.array(
  z.object({
    clientSource: z.array(z.string()).optional(),
    serverAddress: z.array(z.string()).optional(),
  }),
);
type Restrictions = z.output<typeof restrictions>;

/** Azure DocumentDB leaves `users` out when there are none. */
const usersInfoReply = z.object({
  users: z
    .array(
      z.object({
        mechanisms: z.array(z.string()).optional().catch(undefined),
        authenticationRestrictions: restrictions.optional().catch(undefined),
        /** The restrictions of the account's roles. A client must meet those of every role. */
        inheritedAuthenticationRestrictions: z.array(restrictions).optional().catch(undefined),
        roles: z
          .array(z.object({ role: z.string(), db: z.string() }))
          .optional()
          .catch(undefined),
        inheritedPrivileges: z
          .array(z.object({ resource: z.looseObject({}), actions: z.array(z.string()) }))
          .optional()
          .catch(undefined),
      }),
    )
    .default([]),
});
type UsersInfo = z.output<typeof usersInfoReply>;
type User = UsersInfo["users"][number];

const helloReply = z.object({
  saslSupportedMechs: z.array(z.string()).optional().catch(undefined),
});
const whatsMyUriReply = z.object({ you: z.string() });

/** What the server says about the account. A value that it does not give, or gives in another form, is undefined. */
interface Found {
  /** "missing": the server says that the account does not exist. */
  readonly user: User | "missing" | undefined;
  /** Mechanisms of the account that the server has switched on. */
  readonly usable: readonly string[] | undefined;
  /** The IP address of the app, as the server sees it. */
  readonly we: string | undefined;
}

/** Queries the server in the session of the authority. The server offers no check of a log-in of another account. */
export async function examineIn(
  session: Session,
  call: Examine<MongodbOptions>,
  within: number,
): Promise<Examination> {
  const { options, account, using, isProven, twin } = call;
  const { authDatabase } = options;
  const ask = makeAsk(session, within);
  const greeting = helloReply.safeParse(
    await ask("admin", { hello: 1, saslSupportedMechs: `${authDatabase}.${account}` }),
  ).data;
  // Azure DocumentDB shows no privilege that concerns passwords, not even to an account that may change them.
  const privileges = isOnDocumentDb(options) ? undefined : await listPrivileges(session, within);
  const lack = describeLackOfPassword(call, privileges);
  // An account that examines itself has just logged in.
  const isSeen = isProven || using.as === "self";
  const isAsked = !isSeen || lack !== undefined || twin !== undefined;
  const info = isAsked ? await askAbout(ask, authDatabase, account) : undefined;
  const warnings = await findDifferences(ask, call, info, privileges);
  const right = examineRight(
    privileges,
    lack,
    lack !== undefined && (await isShownOthers(ask, call, info)),
    authDatabase,
  );
  const common = { right, ...(warnings.length > 0 && { warnings }) };
  if (isSeen) return { obstacles: [], ...common };
  const found: Found = {
    user: info && (info.users[0] ?? "missing"),
    usable: greeting?.saslSupportedMechs,
    we: await ownAddress(ask),
  };
  return { obstacles: obstaclesIn(found, options, account), ...common };
}

type Ask = (database: string, command: Document) => Promise<Document | undefined>;

/** Undefined if the server does not answer, because emulations do not know every command and field. */
function makeAsk(session: Session, within: number): Ask {
  return async (database, command) => {
    try {
      return await session.run(database, { ...command, maxTimeMS: within });
    } catch (error) {
      if (isUnanswerable(error)) return undefined;
      throw error;
    }
  };
}

async function askAbout(ask: Ask, db: string, user: string) {
  const usersInfo = { user, db };
  const reply =
    (await ask(db, { usersInfo, showAuthenticationRestrictions: true })) ??
    (await ask(db, { usersInfo }));
  return usersInfoReply.safeParse(reply).data;
}

/** Whether the server answers about another account than the authority itself. */
async function isShownOthers(
  ask: Ask,
  { options: { authDatabase }, account, using }: Examine<MongodbOptions>,
  info: UsersInfo | undefined,
): Promise<boolean> {
  if (using.as !== "self") return info !== undefined;
  // Every account may see itself. This one need not exist.
  return (await askAbout(ask, authDatabase, `${account}-other`)) !== undefined;
}

async function findDifferences(
  ask: Ask,
  { options, account, twin, using }: Examine<MongodbOptions>,
  info: UsersInfo | undefined,
  privileges: Privileges | undefined,
): Promise<readonly string[]> {
  if (twin === undefined) return [];
  const other = await askAbout(ask, options.authDatabase, twin);
  if (info === undefined || other === undefined) {
    // An account that changes itself is not given a right to see others.
    if (using.as !== "admin") return [];
    const reason =
      privileges?.allows("viewUser", options.authDatabase) === false
        ? describeUnableToSee(options, using.credential.account)
        : { why: "the server does not show them", todo: "Compare them yourself." };
    return [describeUncompared("roles, restrictions and mechanisms", [account, twin], reason)];
  }
  return compareTwins([account, info.users[0]], [twin, other.users[0]]);
}

async function ownAddress(ask: Ask): Promise<string | undefined> {
  const reply = whatsMyUriReply.safeParse(await ask("admin", { whatsmyuri: 1 }));
  return reply.data && findHost(reply.data.you);
}

/** Pure. A server that shows other users to an account without the right to see them has no authorization switched on. */
function examineRight(
  privileges: Privileges | undefined,
  lack: string | undefined,
  isShown: boolean,
  db: string,
): Right {
  if (privileges === undefined) return { is: "likely" };
  if (lack === undefined) return { is: "proven" };
  if (isShown && !privileges.allows("viewUser", db)) return { is: "likely" };
  return { is: "missing", why: lack };
}

/** Pure: what prevents the account from logging in from here, whatever its password. */
function obstaclesIn({ user, usable, we }: Found, options: MongodbOptions, account: string) {
  const { authDatabase } = options;
  const who = `Account \`${account}\` in authentication database \`${authDatabase}\``;
  if (user === undefined) return [];
  if (user === "missing") {
    return [
      `${who} does not exist. Create it with db.createUser, or correct options.authDatabase.`,
    ];
  }
  const noPassword = lackOfMechanism(user.mechanisms ?? [], usable);
  const unmet = unmetRestrictions(user, we, serverAddress(options, we));
  return [
    ...(noPassword === undefined ? [] : [`${who} ${noPassword}`]),
    ...(unmet.length === 0
      ? []
      : [
          `${who} cannot log in from ${we ?? "here"}: its authenticationRestrictions, or those of its roles, allow ` +
            `only ${unmet.map(describeRestriction).join(" or ")}. Add this address with db.updateUser or db.updateRole.`,
        ]),
  ];
}

function lackOfMechanism(
  mechanisms: readonly string[],
  usable: readonly string[] | undefined,
): string | undefined {
  if (mechanisms.length === 0) return undefined;
  if (!mechanisms.some(isScram)) {
    return (
      `has no password: it logs in with ${mechanisms.join(", ")}. ` +
      "Give it one with db.updateUser, or rotate another account."
    );
  }
  if (usable === undefined || usable.some(isScram)) return undefined;
  return (
    `cannot log in with a password: the server has ${mechanisms.join(", ")} switched off. ` +
    "Switch one of these on with the parameter authenticationMechanisms."
  );
}

function unmetRestrictions(
  { authenticationRestrictions = [], inheritedAuthenticationRestrictions = [] }: User,
  we: string | undefined,
  server: string | undefined,
): Restrictions {
  return [authenticationRestrictions, ...inheritedAuthenticationRestrictions]
    .filter((each) => !isMet(each, we, server))
    .flat();
}

/** One met restriction is enough, and an empty list restricts nobody. An unknown value counts as met. */
function isMet(all: Restrictions, we: string | undefined, server: string | undefined): boolean {
  const isIn = (ranges: readonly string[] | undefined, address: string | undefined) =>
    ranges === undefined || address === undefined || contains(ranges, address);
  return (
    all.length === 0 ||
    all.some((one) => isIn(one.clientSource, we) && isIn(one.serverAddress, server))
  );
}

function describeRestriction({ clientSource, serverAddress: at }: Restrictions[number]): string {
  const parts = [
    ...(clientSource ? [`clients at ${clientSource.join(", ")}`] : []),
    ...(at ? [`log-ins to the server's address ${at.join(", ")}`] : []),
  ];
  return parts.join(" with ");
}

/**
 * The address at which the server accepted the connection, if it is certain: a name, or a translated address, may stand for another
 * address of the server.
 */
function serverAddress({ host }: MongodbOptions, we: string | undefined): string | undefined {
  return host !== undefined &&
    isIP(host) > 0 &&
    we !== undefined &&
    isLoopback(host) &&
    isLoopback(we)
    ? host
    : undefined;
}

const isLoopback = (address: string) => contains(["127.0.0.0/8", "::1"], address);

/** Whether the addresses and ranges, in CIDR notation, contain the address. */
function contains(ranges: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [base = "", bits] = range.split("/");
    const family = findFamily(base);
    const maxBits = family === "ipv6" ? 128 : 32;
    const length = Number(bits ?? maxBits);
    // A range that cannot be read excludes nobody.
    if (family === undefined || !(length >= 0 && length <= maxBits)) return true;
    list.addSubnet(base, length, family);
  }
  const family = findFamily(address);
  return family === undefined || list.check(address, family);
}

function findFamily(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? "ipv4" : "ipv6";
}

/** The address in `127.0.0.1:1234` or `[::1]:1234`. */
function findHost(address: string): string | undefined {
  const host = address
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .replace(/^::ffff:/i, "");
  return isIP(host) > 0 ? host : undefined;
}
