import { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Client } from "pg";
import { TargetUnavailableError } from "../../core/errors.ts";
import { connectLimit } from "../common/connection/connect-limit.ts";
import { endOnSignal } from "../common/connection/end-on-signal.ts";
import { hasFired } from "../common/connection/heard-signal.ts";
import { limitTcp } from "../common/connection/tcp-limit.ts";
import { makeSecureContext } from "../common/connection/tls.ts";
import { type Asked, type Failure, toFailure } from "./postgresql-errors.ts";
import { describeAccount, findServer, type PostgresqlOptions } from "./postgresql-options.ts";

export type Row = Readonly<Record<string, unknown>>;

/** The account that logs in, and the answer when the server requests the password. */
export interface Login {
  readonly account: string;
  readonly answer: () => string | Promise<string>;
}

export interface Line {
  readonly asked: Readonly<Asked>;
  /** Returns undefined once the account is logged in. */
  connect(): Promise<Failure | undefined>;
  /** Says that the time is over, if it is. */
  late(): string | undefined;
  /** Rejects with the driver's own errors. Only `toFailure` may read them. */
  query(text: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
  /** Sets the line aside: its signal has no effect, and it does not keep the process alive. */
  rest(): void;
  /** From now on, this signal ends the line. */
  wake(signal: AbortSignal): void;
  /** Closes the line in an orderly way, after a log-in. */
  close(): Promise<void>;
  /** Closes the socket at once, in any state of the line. */
  hangUp(): Promise<void>;
}

/** Prepares one connection. Throws if the signal has fired, or if the options name a file that cannot be read. */
export async function openLine(
  options: PostgresqlOptions,
  login: Login,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<Line> {
  const ssl = await secureOptions(options);
  const { Client } = await import("pg");
  if (hasFired(signal)) {
    const where = describeAccount(options, login.account);
    throw new TargetUnavailableError(`${where}: not contacted, because the time limit had passed`);
  }
  const asked: Asked = { password: false, serverProof: false, letIn: false };
  const socket = new Socket();
  const client = new Client({
    ...findServer(options),
    database: options.database,
    user: login.account,
    // The driver calls this only when the server requests the password.
    password: () => {
      asked.password = true;
      return login.answer();
    },
    ssl,
    stream: () => socket,
  });
  listenTo(client, asked);
  const exit = endOnSignal(socket, signal);
  const limit = connectLimit(connectWithin, exit.drop);

  return {
    asked,
    async connect() {
      if (connectWithin === undefined) limitTcp(socket);
      const connected = client.connect();
      guardParser(client, ssl !== false);
      const outcome = await connected.then(() => undefined, toFailure);
      limit.end();
      return outcome;
    },
    late: () => limit.reached() ?? (exit.isOver() ? "timed out" : undefined),
    query: async (text, values = []) => (await client.query<Row>(text, [...values])).rows,
    rest: () => {
      exit.listen(undefined);
      socket.unref();
    },
    wake: (next) => {
      socket.ref();
      exit.listen(next);
    },
    close: () => exit.leave(() => client.end()),
    hangUp: () =>
      exit.leave(() => {
        const gone = waitForClose(socket);
        // Not the driver's orderly close: a server that waits for a password would log it as a faulty message.
        client.connection.stream.end();
        return gone;
      }),
  };
}

function listenTo(client: Client, asked: Asked): void {
  // A broken connection also fails the current query. Without a listener, the event would end the process.
  client.on("error", () => undefined);
  const { connection } = client;
  connection.on("authenticationSASL", () => (asked.how = "scram"));
  connection.on("authenticationMD5Password", () => (asked.how = "md5"));
  connection.on("authenticationCleartextPassword", () => (asked.how = "clear"));
  connection.on("backendKeyData", ({ processID }: { readonly processID: number }) => {
    asked.backend = processID;
  });
  connection.on("authenticationSASLFinal", () => (asked.serverProof = true));
  connection.on("authenticationOk", () => (asked.letIn = true));
}

function waitForClose(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
}

/**
 * Catches errors that the driver throws inside the socket's event when the server requests an unknown proof, such as a Kerberos
 * ticket, or sends invalid data. Uncaught, they would end the process. Call it on a connection that has just begun.
 */
function guardParser({ connection }: Client, overTls: boolean): void {
  const guard = () => {
    const { stream } = connection;
    const parsers = stream.listeners("data");
    stream.removeAllListeners("data");
    stream.on("data", (chunk: Buffer) => {
      try {
        for (const parse of parsers) Reflect.apply(parse, stream, [chunk]);
      } catch (error) {
        connection.emit("error", error);
      }
    });
  };
  if (overTls) connection.on("sslconnect", guard);
  else guard();
}

async function secureOptions({ tls }: PostgresqlOptions): Promise<ConnectionOptions | false> {
  if (tls.mode === "disable") return false;
  // Set explicitly, because otherwise NODE_TLS_REJECT_UNAUTHORIZED decides.
  const secureContext = await makeSecureContext(tls.caFile);
  return { secureContext, rejectUnauthorized: true };
}
