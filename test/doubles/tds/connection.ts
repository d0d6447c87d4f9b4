import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContext } from "node:tls";
import { reset } from "../../../conformance/faults/listening.ts";
import type { FaultyServer } from "../../../local/faults.ts";
import { tdsErrors, type TdsRefusal } from "./errors.ts";
import { askedEncryption, encryption, parseLogin7, preloginAnswer } from "./login7.ts";
import { checkLogin } from "./logins.ts";
import { type TdsSession, toKey, type World } from "./model.ts";
import { frame, packetTypes, readMessages, type TdsMessage } from "./packets.ts";
import { answerRequest, parseRequest, refusalTokens, type Request } from "./statements.ts";
import { doneToken, errorToken, loginTokens, type Route } from "./tokens.ts";
import { beginsWithTls, strictTls, tlsInPackets } from "./transport.ts";

/**
 * What faults can be armed on: taking a connection, a log-in, the statements that change a login or a user, the emptying of the cache,
 * and any other batch or call.
 */
export type TdsEffect =
  "connect" | "login" | "set-password" | "enable" | "disable" | "flush" | "query";

export type EncryptionMode = "optional" | "required" | "off";

export interface LoginAttempt {
  readonly account: string;
  readonly accepted: boolean;
  /** Number of the first error. */
  readonly error?: number;
}

export interface TdsServer {
  readonly name: string;
  readonly encryption: EncryptionMode;
  /** Before TDS 8, TLS must be 1.2: see `tlsInPackets`. */
  readonly secureContext: Readonly<Record<"packets" | "strict", SecureContext>>;
  readonly world: World;
  readonly faults: FaultyServer<TdsEffect, TdsRefusal>;
  readonly attempts: LoginAttempt[];
  routesTo: Route | undefined;
  nextSession: number;
}

interface LoginReply {
  readonly tokens: Buffer;
  readonly session?: TdsSession;
}

/** Serves one connection from its first byte on. */
export async function serveConnection(server: TdsServer, socket: Socket): Promise<void> {
  const { faults, secureContext } = server;
  const welcome = await faults.perform<boolean>(
    "connect",
    () => true,
    () => false,
  );
  if (welcome.kind === "silence") {
    // Only a socket that is read from notices that its client has gone.
    socket.resume();
    return;
  }
  if (welcome.kind === "reset" || !welcome.answer) {
    reset(socket);
    return;
  }
  if (await beginsWithTls(socket)) {
    converse(server, strictTls(socket, secureContext.strict), true);
    return;
  }
  const stop = readMessages(socket, ({ type, payload }) => {
    stop();
    const mode = type === packetTypes.prelogin ? chooseEncryption(server, payload) : undefined;
    if (mode === undefined) {
      socket.destroy();
      return;
    }
    socket.write(frame(packetTypes.response, preloginAnswer(mode, offersFedAuth(server))));
    const encrypted = mode !== encryption.notSupported;
    converse(server, encrypted ? tlsInPackets(socket, secureContext.packets) : socket, false);
  });
}

/** SQL Server checks tokens only where somebody has set that up. */
function offersFedAuth({ world }: TdsServer): boolean {
  return world.edition !== "sql-server";
}

function chooseEncryption(server: TdsServer, prelogin: Buffer): number {
  if (server.encryption === "off") return encryption.notSupported;
  if (server.encryption === "required") return encryption.required;
  const asked = askedEncryption(prelogin);
  return asked === encryption.notSupported ? encryption.notSupported : encryption.on;
}

/** Everything after encryption is settled: log-in, then one request after another. */
function converse(server: TdsServer, channel: Duplex, strict: boolean): void {
  let session: TdsSession | undefined;
  let running: object | undefined;
  const send = (tokens: Buffer) => {
    if (!channel.destroyed) channel.write(frame(packetTypes.response, tokens));
  };
  const hangUp = () => {
    if ("resetAndDestroy" in channel) reset(channel as Socket);
    else channel.destroy();
  };

  async function handleLogin(payload: Buffer): Promise<void> {
    if (isSilent(server, payload)) return;
    const outcome = await performLogin(server, payload);
    if (outcome.kind === "reset") hangUp();
    if (outcome.kind !== "answer") return;
    session = outcome.answer.session;
    if (session !== undefined && !channel.destroyed) server.world.sessions.add(session);
    send(outcome.answer.tokens);
    if (session === undefined) channel.end();
  }

  async function handleRequest(known: TdsSession, message: TdsMessage): Promise<void> {
    const request = {};
    running = request;
    const asked = parseRequest(message);
    const outcome = await server.faults.perform(
      effectOf(asked),
      () => answerRequest(server.world, known, asked, server.faults.hostile),
      (refusal) => refusalTokens({ ...tdsErrors.syntax("fault"), ...refusal }, server.name),
    );
    if (outcome.kind === "reset") hangUp();
    // A cancelled request has had its answer; another would belong to nothing.
    if (outcome.kind !== "answer" || running !== request) return;
    running = undefined;
    send(outcome.answer);
  }

  function handleAttention(): void {
    // A client waits for two messages: the end of what it cancelled, and that it is cancelled.
    if (running !== undefined) send(doneToken(["error"]));
    running = undefined;
    send(doneToken(["attention"]));
  }

  function dispatch(message: TdsMessage): void | Promise<void> {
    const { type, payload } = message;
    if (session === undefined) {
      if (strict && type === packetTypes.prelogin) {
        send(preloginAnswer(encryption.notSupported, offersFedAuth(server)));
        return;
      }
      if (type === packetTypes.login7) return handleLogin(payload);
    } else {
      if (type === packetTypes.attention) {
        handleAttention();
        return;
      }
      if (type === packetTypes.batch || type === packetTypes.rpc) {
        return handleRequest(session, message);
      }
    }
    channel.destroy();
  }

  channel.once("close", () => {
    if (session !== undefined) server.world.sessions.delete(session);
  });
  readMessages(channel, (message) => {
    Promise.resolve(dispatch(message)).catch(() => channel.destroy());
  });
}

const effects: readonly (readonly [pattern: RegExp, effect: TdsEffect])[] = [
  [/\bENABLE\b/, "enable"],
  [/\bDISABLE\b/, "disable"],
  [/\bWITH PASSWORD\b/, "set-password"],
  [/^DBCC\b/, "flush"],
];

function effectOf(request: Request | undefined): TdsEffect {
  const text = request?.text ?? "";
  return effects.find(([pattern]) => pattern.test(text))?.[1] ?? "query";
}

/** Whether the database of the log-in gives no answer. */
function isSilent({ world }: TdsServer, payload: Buffer): boolean {
  return world.databases.get(toKey(parseLogin7(payload).database))?.state === "silent";
}

function performLogin(server: TdsServer, payload: Buffer) {
  const { world, faults, attempts, name, routesTo } = server;
  const login = parseLogin7(payload);
  const account = login.token === undefined ? login.account : "token";
  const refuse = (...errors: readonly [TdsRefusal, ...TdsRefusal[]]): LoginReply => {
    attempts.push({ account, accepted: false, error: errors[0].number });
    const spoken = errors.map((error) =>
      faults.hostile
        ? { ...error, message: `${error.message} (${login.password} ${login.token ?? ""})` }
        : error,
    );
    const sent = spoken.map((error) => errorToken(error, name));
    return { tokens: Buffer.concat([...sent, doneToken(["error"])]) };
  };
  return faults.perform<LoginReply>(
    "login",
    () => {
      if (login.token !== undefined && login.echoesFedAuth !== offersFedAuth(server)) {
        return refuse(tdsErrors.loginFailed("<token-identified principal>"));
      }
      const result = checkLogin(world, login);
      if (result.errors !== undefined) return refuse(...result.errors);
      attempts.push({ account, accepted: true });
      const session = { ...result.opened, id: server.nextSession++ };
      const tokens = loginTokens(login, session.database.name, name, routesTo);
      return routesTo === undefined ? { tokens, session } : { tokens };
    },
    (refusal) => refuse({ ...tdsErrors.unavailable("master", name), ...refusal }),
  );
}
