import type { Document } from "mongodb";
import { aggregate } from "./current-op.ts";
import { documentDb } from "./documentdb.ts";
import { errorAnswer, Refused, refused } from "./errors.ts";
import { showWrites } from "./majority.ts";
import { saslContinue, saslStart } from "./sasl.ts";
import { type Call, type Command, loggedIn } from "./session.ts";
import { createUser, updateUser, usersInfo } from "./user-commands.ts";
import { listPrivileges } from "./users.ts";

const commands: Readonly<Record<string, Command>> = {
  hello: { open: true, run: hello },
  isMaster: { open: true, run: hello },
  ismaster: { open: true, run: hello },
  ping: { open: true, run: () => ({ ok: 1 }) },
  whatsmyuri: { open: true, run: whatsMyUri },
  buildInfo: { open: true, run: buildInfo },
  connectionStatus: { open: true, run: connectionStatus },
  saslStart: {
    open: true,
    run: (call) => ({ ...saslStart(call, call.command, call.database), ok: 1 }),
  },
  saslContinue: { open: true, run: saslContinue },
  logout: { open: true, run: logout },
  endSessions: { open: true, run: () => ({ ok: 1 }) },
  createUser: { open: false, run: createUser },
  updateUser: { open: false, run: updateUser },
  usersInfo: { open: false, run: usersInfo },
  aggregate: { open: false, run: aggregate },
};

/** Runs one command and answers as the server would, errors included. */
export async function execute(call: Call): Promise<Document> {
  const [name = ""] = Object.keys(call.command);
  try {
    const service = call.server.isDocumentDb ? documentDb : {};
    const command = service[name] ?? commands[name];
    if (command === undefined) throw refused("CommandNotFound", `no such command: '${name}'`);
    if (!command.open && call.session.authenticated.size === 0) {
      throw refused("Unauthorized", `Command ${name} requires authentication`);
    }
    return await command.run(call);
  } catch (error) {
    if (error instanceof Refused) return errorAnswer(spiteful(call, error));
    throw error;
  }
}

/** A hostile server repeats the received password in every error. */
function spiteful({ server, command }: Call, { refusal }: Refused) {
  const password: unknown = command["pwd"];
  if (!server.faults.hostile || typeof password !== "string") return refusal;
  return { ...refusal, message: `${refusal.message} (pwd: ${password})` };
}

function hello(call: Call): Document {
  const { server, session, command } = call;
  const asked: unknown = command["saslSupportedMechs"];
  return {
    helloOk: true,
    ismaster: true,
    isWritablePrimary: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: session.id,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
    ...server.presents,
    ...showWrites(server),
    ...(typeof asked === "string" ? supportedMechanisms(server, asked) : {}),
    ...speculativeAnswer(call),
    ok: 1,
  };
}

function supportedMechanisms({ users, enabled }: Call["server"], asked: string): Document {
  const dot = asked.indexOf(".");
  const user = users.find(asked.slice(dot + 1), asked.slice(0, dot));
  return user === undefined
    ? {}
    : {
        saslSupportedMechs: user.credentials
          .map(({ mechanism }) => mechanism)
          .filter((mechanism) => enabled.includes(mechanism)),
      };
}

/** A failed attempt is ignored: the client then logs in with the full conversation and gets the error. */
function speculativeAnswer(call: Call): Document {
  const start = call.command["speculativeAuthenticate"] as Document | undefined;
  const db: unknown = start?.["db"];
  if (start === undefined || typeof db !== "string") return {};
  const before = call.server.logins.length;
  try {
    return { speculativeAuthenticate: saslStart(call, start, db) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    call.server.logins.length = before;
    return {};
  }
}

function buildInfo(): Document {
  return { version: "7.0.14", versionArray: [7, 0, 14, 0], modules: [], bits: 64, ok: 1 };
}

function whatsMyUri({ session: { client } }: Call): Document {
  return { you: `${client.address}:${String(client.port)}`, ok: 1 };
}

function connectionStatus(call: Call): Document {
  const users = loggedIn(call);
  const isShown = call.command["showPrivileges"] === true && !call.server.lacks.has("privileges");
  return {
    authInfo: {
      authenticatedUsers: users.map(({ user, db }) => ({ user, db })),
      authenticatedUserRoles: users.flatMap(({ roles }) => roles),
      ...(isShown && { authenticatedUserPrivileges: users.flatMap(listPrivileges) }),
    },
    ok: 1,
  };
}

function logout({ session, database }: Call): Document {
  session.authenticated.delete(database);
  return { ok: 1 };
}
