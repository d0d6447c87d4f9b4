import { isIP, Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import type { Connection, ConnectionOptions } from "mysql2";
import { TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { connectLimit } from "../common/connection/connect-limit.ts";
import { endOnSignal } from "../common/connection/end-on-signal.ts";
import { hasFired } from "../common/connection/heard-signal.ts";
import { limitTcp } from "../common/connection/tcp-limit.ts";
import { makeSecureContext } from "../common/connection/tls.ts";
import { type Failure, toFailure } from "./mysql-errors.ts";
import { describeAccount, type MysqlOptions } from "./mysql-options.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface Line {
  /** Returns undefined once the account is logged in. */
  connect(): Promise<Failure | undefined>;
  /** Says that the time is over, if it is. */
  late(): string | undefined;
  /**
   * Replaces each `?` with a quoted string, which is safe only in a configured session. Rejects with the driver's own errors. Only
   * `toFailure` may read them, because they contain the statement.
   */
  query(text: string, values?: readonly string[]): Promise<readonly Row[]>;
  /** Sets the line aside: its signal has no effect, and it does not keep the process alive. */
  rest(): void;
  /** From now on, this signal ends the line. */
  wake(signal: AbortSignal): void;
  /** Closes the line in an orderly way if it is logged in. */
  close(): Promise<void>;
}

export interface LineOptions {
  readonly signal: AbortSignal;
  readonly connectWithin?: number | undefined;
  /** The credential is a token that the server must receive as it is. Requires TLS. */
  readonly isToken?: boolean;
}

/** Prepares one connection. Throws if the signal has fired, or if the options name a file that cannot be read. */
export async function openLine(
  options: MysqlOptions,
  { account, secret }: Credential,
  { signal, connectWithin, isToken = false }: LineOptions,
): Promise<Line> {
  const { host, port, tls } = options;
  const secureContext = tls.mode === "disable" ? undefined : await makeSecureContext(tls.caFile);
  const { createConnection } = await import("mysql2");
  if (hasFired(signal)) {
    const where = describeAccount(options, account);
    throw new TargetUnavailableError(`${where}: not contacted, because the time limit had passed`);
  }
  const socket = new Socket();
  const exit = endOnSignal(socket, signal);
  const limit = connectLimit(connectWithin, exit.drop);
  const lost = whenClosed(socket);
  const settings = {
    ...settingsFor(options, { account, secret }, secureContext !== undefined),
    enableCleartextPlugin: isToken && secureContext !== undefined,
    stream: socket,
  };
  let tlsFailure: Failure | undefined;
  const fail = (error: Error) => (tlsFailure = toFailure(error));
  let connection: Connection | undefined;
  let isIn = false;
  return {
    async connect() {
      if (connectWithin === undefined) limitTcp(socket);
      socket.connect(port, host).setNoDelay(true);
      const begun = (connection = createConnection(settings));
      if (secureContext) verifyTls(begun, { socket, host, secureContext, fail });
      const result = Promise.withResolvers<undefined>();
      begun.on("connect", () => {
        result.resolve(undefined);
      });
      // A broken connection also fails the current query. Without a listener, the event would end the process.
      begun.on("error", result.reject);
      const failure = await Promise.race([result.promise, lost]).catch(toFailure);
      isIn = failure === undefined;
      limit.end();
      // The driver learns of a refused certificate only that the connection was lost, and TLS reports it a moment later.
      await new Promise(setImmediate);
      return isIn ? undefined : (tlsFailure ?? failure);
    },
    late: () => limit.reached() ?? (exit.isOver() ? "timed out" : undefined),
    query: (sql, values = []) => Promise.race([runQuery(connection, sql, values), lost]),
    rest: () => {
      exit.listen(undefined);
      socket.unref();
    },
    wake: (next) => {
      socket.ref();
      exit.listen(next);
    },
    close: () =>
      exit.leave(() => {
        if (isIn) connection?.end();
        else socket.destroy();
        return lost.catch(() => undefined);
      }),
  };
}

function settingsFor(
  { host, port }: MysqlOptions,
  { account, secret }: Credential,
  isSecure: boolean,
): ConnectionOptions {
  return {
    host,
    port,
    user: account,
    password: secret.reveal(),
    charset: "utf8mb4",
    connectTimeout: 0,
    disableEval: true,
    trace: false,
    // A server must not be able to request files.
    flags: ["-LOCAL_FILES", "-IGNORE_SPACE"],
    connectAttributes: { program_name: "keyturn" },
    ...(isSecure && { ssl: { rejectUnauthorized: true, verifyIdentity: true } }),
  };
}

function runQuery(
  connection: Connection | undefined,
  sql: string,
  values: readonly string[],
): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    connection?.query(sql, [...values], (error: unknown, rows: unknown) => {
      if (error !== null) reject(toError(error));
      else resolve(Array.isArray(rows) ? rows.filter(isRow) : []);
    });
  });
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error("failed"));

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}

/** Rejects when the socket closes, with its error if there is one. */
function whenClosed(socket: Socket): Promise<never> {
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => undefined);
  let reason: Error | undefined;
  socket.on("error", (error: Error) => (reason = error));
  socket.once("close", () => {
    // The driver may have a better reason, which it reports in the same turn.
    setImmediate(() => {
      closed.reject(reason ?? new Error("the connection was closed"));
    });
  });
  return closed.promise;
}

interface Verification {
  readonly socket: Socket;
  readonly host: string;
  readonly secureContext: SecureContext;
  readonly fail: (error: Error) => void;
}

/**
 * Replaces the driver's own start of TLS. That compares the certificate of an IP address with "localhost", and hides why a
 * certificate is refused.
 */
function verifyTls(
  connection: Connection,
  { socket, host, secureContext, fail }: Verification,
): void {
  const startTLS = (done: (error?: Error) => void) => {
    const parsers = socket.listeners("data");
    socket.removeAllListeners("data");
    const secured = connectTls({
      socket,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      secureContext,
      // Set explicitly, because otherwise NODE_TLS_REJECT_UNAUTHORIZED decides.
      rejectUnauthorized: true,
    });
    for (const parse of parsers) {
      secured.on("data", (chunk: Buffer) => {
        Reflect.apply(parse, secured, [chunk]);
      });
    }
    secured.once("secureConnect", () => {
      done();
    });
    secured.on("error", (error: Error) => {
      fail(error);
      socket.destroy(error);
    });
    Reflect.set(connection, "stream", secured);
  };
  Reflect.set(connection, "startTLS", startTLS);
}
