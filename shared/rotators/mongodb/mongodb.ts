import { randomBytes } from "node:crypto";
import { ChangeRefusedError, isKnownError } from "../../core/errors.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { findUnfitForScram, isTakenAsItStands } from "../common/connection/scram.ts";
import { guarded } from "../guarded.ts";
import { asAuthority, logInToMember, withAuthoritySession } from "./mongodb-authority.ts";
import { serverPatience, setPassword } from "./mongodb-change.ts";
import { toLoginError } from "./mongodb-errors.ts";
import { examineIn } from "./mongodb-examine.ts";
import {
  findPropagation,
  isOnDocumentDb,
  type MongodbOptions,
  mongodbOptions,
  toEndpoint,
} from "./mongodb-options.ts";
import { describeAccount, requireUsable } from "./mongodb-session.ts";
import { logInAsConsumer } from "./mongodb-verify.ts";
import { isAnybodyLoggedIn } from "./mongodb-who.ts";

export type { MongodbOptions };

/** MongoDB users that log in with a password (SCRAM), also those of Azure DocumentDB. */
export const mongodb = guarded<MongodbOptions>({
  type: "mongodb",
  mistakenFor: ["documentdb", "cosmosdb", "mongo"],
  options: mongodbOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: false,
    propagation: 0,
  },

  endpoint: toEndpoint,

  findUnfit: findUnfitForScram,

  // MongoDB checks names of users by the rules for names of collections.
  findUnfitAccount: (account) =>
    account.startsWith(".") ? "must not begin with a dot" : findUnfitName(account),

  findSessionsFault: (options) =>
    isOnDocumentDb(options) ? "Azure DocumentDB does not show who is logged in" : undefined,

  accountRealm: ({ authDatabase }) => authDatabase,

  findPropagation,

  async apply({ next, ...call }, signal) {
    const { options } = call;
    const where = describeAccount(options, next.account, options.authDatabase);
    requireUsable(next, where);
    const password = next.secret.reveal();
    if (!isTakenAsItStands(password)) {
      throw new ChangeRefusedError(
        `${where}: its next password contains characters that clients encode differently. Restrict the characters in the password rules of the policy`,
      );
    }
    const change = { ...call, account: next.account };
    await asAuthority(change, signal, (session) => setPassword(session, change, password));
    return { credential: next };
  },

  verify: logInAsConsumer,

  async examine(examine, signal) {
    const { options, account } = examine;
    const where = describeAccount(options, account, options.authDatabase);
    return withAuthoritySession(examine, signal, async (session) => {
      try {
        return await examineIn(session, examine, serverPatience);
      } catch (error) {
        throw isKnownError(error) ? error : toLoginError(error, where);
      }
    });
  },

  hasSessions(look, signal) {
    return asAuthority(look, signal, (session) =>
      isAnybodyLoggedIn(session, look, (address) => logInToMember(look, address, signal)),
    );
  },

  /**
   * Sets a secret that nobody knows. If the user were removed, it would lose its roles and could not get a secret again. The server
   * does not remove the last mechanism of a user.
   */
  async retire(call, signal) {
    const unknown = randomBytes(48).toString("base64url");
    await asAuthority(call, signal, (session) => setPassword(session, call, unknown));
  },
});
