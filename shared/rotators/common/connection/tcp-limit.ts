import { connect, type Socket } from "node:net";
import { second } from "../../../core/time.ts";

/**
 * Milliseconds within which a server must accept a TCP connection, unless `timeouts.connect` is set. The log-in may take longer,
 * because a paused server must start first.
 */
export const tcpWithin = 5 * second;

/** The error that the system itself would give after minutes. */
function noAnswer(): Error {
  return Object.assign(new Error("the TCP connection timed out"), { code: "ETIMEDOUT" });
}

/** Ends the attempt of a socket that does not connect in time. Call it just before the socket connects. */
export function limitTcp(socket: Socket, within = tcpWithin): void {
  const timer = setTimeout(() => socket.destroy(noAnswer()), within);
  const end = () => {
    clearTimeout(timer);
  };
  socket.once("connect", end).once("close", end);
}

/** Opens a TCP connection. Rejects with the system's error, or when the signal fires. */
export async function connectTcp(
  host: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const socket = connect({ host, port });
  limitTcp(socket);
  const drop = () => socket.destroy(new Error("timed out"));
  signal?.addEventListener("abort", drop, { once: true });
  try {
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return socket;
  } finally {
    signal?.removeEventListener("abort", drop);
  }
}
