import type { Document } from "mongodb";
import { Refused, refused } from "./errors.ts";
import { saslContinue } from "./sasl.ts";
import type { Call, Command } from "./session.ts";
import { updateUser, usersInfo } from "./user-commands.ts";

/**
 * How Azure DocumentDB answers differently: users are in `admin` only and have one mechanism, which it does not show; `updateUser` takes a
 * password and nothing else; the privileges that it shows never include changePassword.
 */
export const documentDb: Readonly<Record<string, Command>> = {
  saslContinue: { open: true, run: proveKey },
  connectionStatus: { open: true, run: connectionStatus },
  updateUser: { open: false, run: updatePassword },
  usersInfo: { open: false, run: showUser },
};

function proveKey(call: Call): Document {
  try {
    return saslContinue(call);
  } catch (error) {
    if (!(error instanceof Refused) || error.refusal.code !== 18) throw error;
    throw refused("Unauthorized", "Invalid key");
  }
}

function connectionStatus({ session }: Call): Document {
  const names = [...session.authenticated.values()];
  return {
    authInfo: {
      authenticatedUsers: names.map((user) => ({ user, db: "admin" })),
      authenticatedUserRoles: [{ role: "readWriteAnyDatabase", db: "admin" }],
      authenticatedUserPrivileges: [
        { resource: { db: "", collection: "" }, actions: ["find", "insert", "update"] },
        { resource: { cluster: true }, actions: ["listDatabases"] },
      ],
    },
    ok: 1,
  };
}

const ignored = ["$db", "lsid", "maxTimeMS", "writeConcern", "comment", "$readPreference"];

function checkForm({ command, database }: Call, allowed: readonly string[]): void {
  if (database !== "admin") {
    throw refused("BadValue", "this command must be called from 'admin' database.");
  }
  const unknown = Object.keys(command).find((name) => ![...ignored, ...allowed].includes(name));
  if (unknown !== undefined) {
    throw refused("BadValue", `The specified field '${unknown}' is not supported.`);
  }
}

async function updatePassword(call: Call): Promise<Document> {
  checkForm(call, ["updateUser", "pwd"]);
  const name: unknown = call.command["updateUser"];
  if (typeof name !== "string" || call.server.users.find(name, "admin") === undefined) {
    throw refused("DocumentDbUserNotFound", "role does not exist");
  }
  return updateUser(call);
}

/** Without a user of this name, the answer has no list. */
function showUser(call: Call): Document {
  checkForm(call, ["usersInfo", "showPrivileges"]);
  const { users, ...rest } = usersInfo(call);
  const shown = (users as Document[]).map(({ mechanisms: _, ...user }) => user);
  return { ...(shown.length > 0 && { users: shown }), ...rest };
}
