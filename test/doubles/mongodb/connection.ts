import type { Socket } from "node:net";
import type { Document } from "mongodb";
import { reset } from "../../../conformance/faults/listening.ts";
import type { FaultyServer, Outcome } from "../../../local/faults.ts";
import { execute } from "./commands.ts";
import { errorAnswer, type MongoRefusal } from "./errors.ts";
import type { MongoEffect, MongoServer, Session } from "./session.ts";
import { readRequests, type WireRequest } from "./wire.ts";

type MongoFaults = FaultyServer<MongoEffect, MongoRefusal>;

/** Serves one connection after another; counts in `performed` the commands that took effect. */
export function connectionHandler(
  server: MongoServer,
  faults: MongoFaults,
  performed: Map<string, number>,
): (socket: Socket) => void {
  let lastId = 0;

  async function answer(session: Session, request: WireRequest): Promise<Outcome<Document>> {
    const { command, database } = request;
    const [name = ""] = Object.keys(command);
    const run = async () => {
      const done = await execute({ server, session, command, database });
      if (done["ok"] === 1) performed.set(name, (performed.get(name) ?? 0) + 1);
      return done;
    };
    const effect = effects[name];
    if (effect === undefined) return { kind: "answer", answer: await run() };
    return faults.perform(effect, run, (refusal) =>
      errorAnswer({ ...defaultRefusal(effect), ...refusal }),
    );
  }

  return (socket) => {
    lastId += 1;
    const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = socket;
    const session: Session = {
      id: lastId,
      client: { address: remoteAddress, port: remotePort },
      server: { address: localAddress, port: localPort },
      authenticated: new Map(),
      conversation: undefined,
    };
    server.sessions.add(session);
    socket.on("error", () => undefined);
    socket.on("close", () => server.sessions.delete(session));
    async function serve(request: WireRequest): Promise<void> {
      const outcome = await answer(session, request);
      if (outcome.kind === "reset") reset(socket);
      if (outcome.kind === "answer" && !request.wantsNoAnswer && !socket.destroyed) {
        socket.write(request.encode(outcome.answer));
      }
    }
    // Handles requests one after another, so that replies keep their order.
    let turn = greet(socket);
    readRequests(socket, (request) => {
      turn = turn.then(async (welcome) => {
        if (welcome) await serve(request).catch(() => socket.destroy());
        return welcome;
      });
    });
  };

  async function greet(socket: Socket): Promise<boolean> {
    const welcome = await faults.perform<boolean>(
      "connect",
      () => true,
      () => false,
    );
    if (welcome.kind === "answer" && welcome.answer) return true;
    if (welcome.kind !== "silence") reset(socket);
    return false;
  }
}

/** A log-in takes effect where the password is proven, however the client began it. */
const effects: Readonly<Record<string, MongoEffect>> = {
  saslContinue: "login",
  hello: "hello",
  isMaster: "hello",
  ismaster: "hello",
  ping: "ping",
  connectionStatus: "connectionStatus",
  whatsmyuri: "whatsmyuri",
  createUser: "createUser",
  updateUser: "updateUser",
  usersInfo: "usersInfo",
  aggregate: "aggregate",
};

function defaultRefusal(effect: MongoEffect): MongoRefusal {
  return effect === "login"
    ? { code: 18, codeName: "AuthenticationFailed", message: "Authentication failed." }
    : { code: 13, codeName: "Unauthorized", message: `not authorized to ${effect}` };
}
