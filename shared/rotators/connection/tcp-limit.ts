import { connect, type Socket } from "node:net";
import { second } from "../../core/time.ts";

/**
 * Milliseconds within which a server must take a TCP connection, where `timeouts.connect` says nothing else. The log-in may take
 * longer: a server that has been paused must wake up first.
 */
export const tcpWithin = 5 * second;

/** As the system itself would say after minutes. */
function noAnswer(): Error {
  return Object.assign(new Error("no TCP connection in time"), { code: "ETIMEDOUT" });
}

/** Ends the attempt of a socket that does not connect in time. For a socket that is just about to connect. */
export function limitTcp(socket: Socket, within = tcpWithin): void {
  const timer = setTimeout(() => socket.destroy(noAnswer()), within);
  const end = () => {
    clearTimeout(timer);
  };
  socket.once("connect", end).once("close", end);
}

/** A TCP connection. Rejects with the system's error, or when the signal fires. */
export async function connectTcp(
  host: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const socket = connect({ host, port });
  limitTcp(socket);
  const drop = () => socket.destroy(new Error("no time is left"));
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
