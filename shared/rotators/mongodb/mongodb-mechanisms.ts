import { z } from "zod";
import { ChangeRefusedError } from "../../core/errors.ts";
import { isUnanswerable } from "./mongodb-errors.ts";
import type { Session } from "./mongodb-session.ts";

export const isScram = (mechanism: string): boolean => mechanism.startsWith("SCRAM-");

/** Azure DocumentDB shows no mechanisms, and leaves `users` out when there are none. */
const usersInfoReply = z.object({
  users: z
    .array(z.object({ mechanisms: z.array(z.string()).optional().catch(undefined) }))
    .default([]),
});
const helloReply = z.object({ saslSupportedMechs: z.array(z.string()).optional() });

interface Wanted {
  readonly authDatabase: string;
  readonly account: string;
  /** Milliseconds. */
  readonly within: number;
  readonly where: string;
}

/**
 * The mechanisms to name in the change of a password: those that the account has and that the server has switched on. Undefined if the
 * server must choose. Without names, it would create credentials for all its mechanisms, and so add SCRAM-SHA-1 to an account
 * restricted to SCRAM-SHA-256; it refuses names of mechanisms that are switched off. Throws ChangeRefusedError if the account does not
 * exist or has no usable mechanism.
 */
export async function chooseMechanisms(
  session: Session,
  wanted: Wanted,
): Promise<readonly string[] | undefined> {
  const { authDatabase, account, within, where } = wanted;
  const query = { usersInfo: { user: account, db: authDatabase }, maxTimeMS: within };
  // Absent for an authority that may change passwords but not view users.
  const info = await orUnanswered(session.run(authDatabase, query));
  if (info === undefined) return requireSome(await listUsable(session, wanted), where);
  const user = usersInfoReply.parse(info).users[0];
  if (user === undefined) {
    throw new ChangeRefusedError(
      `${where}: the account does not exist in this authentication database`,
    );
  }
  const own = user.mechanisms?.filter(isScram) ?? [];
  if (own.length === 0) return undefined;
  const usable = (await listUsable(session, wanted)) ?? own;
  return requireSome(
    own.filter((mechanism) => usable.includes(mechanism)),
    where,
  );
}

function requireSome(mechanisms: readonly string[] | undefined, where: string) {
  if (mechanisms === undefined || mechanisms.length > 0) return mechanisms;
  throw new ChangeRefusedError(
    `${where}: the account has no mechanism that the server has switched on. ` +
      "Switch SCRAM on with the parameter authenticationMechanisms, or give the account a password with db.updateUser",
  );
}

/** The mechanisms of the account that the server has switched on. The server shows them to everybody. */
async function listUsable(session: Session, { authDatabase, account }: Wanted) {
  const hello = { hello: 1, saslSupportedMechs: `${authDatabase}.${account}` };
  const reply = helloReply.safeParse(await orUnanswered(session.run("admin", hello))).data;
  return reply?.saslSupportedMechs?.filter(isScram);
}

async function orUnanswered<Reply>(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (isUnanswerable(error)) return undefined;
    throw error;
  }
}
