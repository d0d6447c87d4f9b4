import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { connectLimit } from "../common/connection/connect-limit.ts";
import { hasFired, hearSignal } from "../common/connection/heard-signal.ts";
import { tcpWithin } from "../common/connection/tcp-limit.ts";
import { makeSecureContext } from "../common/connection/tls.ts";
import { type Failure, toFailure } from "./redis-errors.ts";
import { describeAccount, type Node } from "./redis-options.ts";

/** The connections of this process in the server's list of clients. Nobody else can guess the name. */
export const clientName = `keyturn-${randomBytes(9).toString("hex")}`;

export interface Line {
  /** Returns undefined once the account is logged in. */
  connect(): Promise<Failure | undefined>;
  /** Says that the time is over, if it is. */
  late(): string | undefined;
  /** Rejects with the driver's own errors. Only `toFailure` may read them, because they may repeat the command. */
  send(words: readonly string[]): Promise<unknown>;
  /** Sets the line aside: its signal has no effect, and it does not keep the process alive. */
  rest(): void;
  /** From now on, this signal ends the line. */
  wake(signal: AbortSignal): void;
  close(): void;
}

export interface LineOptions {
  readonly signal: AbortSignal;
  readonly connectWithin?: number | undefined;
}

/** Prepares one connection. Throws if the signal has fired, or if the options name a file that cannot be read. */
export async function openLine(
  node: Node,
  { account, secret }: Credential,
  { signal, connectWithin }: LineOptions,
): Promise<Line> {
  const { host, port, tls } = node;
  const secureContext = tls.mode === "disable" ? undefined : await makeSecureContext(tls.caFile);
  const { createClient } = await import("@redis/client");
  if (hasFired(signal)) {
    const where = describeAccount(node, account);
    throw new TargetUnavailableError(`${where}: not contacted, because the time limit had passed`);
  }
  /** Ends the socket at any moment. The driver itself cannot end one that still connects. */
  const end = new AbortController();
  const client = createClient({
    username: account,
    password: secret.reveal(),
    // The log-in sets the name in the same command, for which an account needs no right.
    name: clientName,
    RESP: 3,
    disableClientInfo: true,
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0 },
    socket: {
      host,
      port,
      signal: end.signal,
      reconnectStrategy: false,
      // The driver's limit ends with the TLS handshake; it must not end an attempt that has more time.
      connectTimeout: connectWithin === undefined ? tcpWithin : 2 * connectWithin,
      ...toTlsOptions(host, secureContext),
    },
  });
  // A broken connection also fails the current command. Without a listener, the event would end the process.
  client.on("error", () => undefined);
  return toLine(client, end, { signal, connectWithin });
}

/** What is used of the driver's client. */
interface Client {
  connect(): Promise<unknown>;
  sendCommand(words: readonly string[]): Promise<unknown>;
  ref(): void;
  unref(): void;
  destroy(): void;
}

function toLine(
  client: Client,
  end: AbortController,
  { signal, connectWithin }: LineOptions,
): Line {
  const drop = () => {
    end.abort();
    client.destroy();
  };
  const heard = hearSignal(signal, drop);
  const limit = connectLimit(connectWithin, drop);
  return {
    async connect() {
      try {
        await client.connect();
        return undefined;
      } catch (error) {
        return toFailure(error);
      } finally {
        limit.end();
      }
    },
    late: () => limit.reached() ?? (heard.current()?.aborted === true ? "timed out" : undefined),
    send: (words) => client.sendCommand(words),
    rest() {
      heard.listen(undefined);
      client.unref();
    },
    wake(next) {
      client.ref();
      heard.listen(next);
    },
    close() {
      heard.listen(undefined);
      client.destroy();
    },
  };
}

function toTlsOptions(host: string, secureContext: SecureContext | undefined) {
  if (secureContext === undefined) return {};
  return {
    tls: true as const,
    secureContext,
    ...(isIP(host) === 0 && { servername: host }),
    // Set explicitly, because otherwise NODE_TLS_REJECT_UNAUTHORIZED decides.
    rejectUnauthorized: true,
  };
}
