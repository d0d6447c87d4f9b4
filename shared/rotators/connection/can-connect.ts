import { connect } from "node:net";
import { contactWithin } from "../../core/fleet/servers.ts";

/**
 * Whether a server (`host:port`) accepts or refuses a TCP connection. False when it has not answered within a second. Sends nothing.
 * A name that cannot be resolved counts as an answer, because the next call reports what is wrong with it.
 */
export async function canConnect(server: string): Promise<boolean> {
  const colon = server.lastIndexOf(":");
  const socket = connect({ host: server.slice(0, colon), port: Number(server.slice(colon + 1)) });
  return new Promise((resolve) => {
    const end = (isAnswered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isAnswered);
    };
    // When this process was busy, the connection may be there although nothing has been heard of it yet.
    const timer = setTimeout(() => setImmediate(end, false), contactWithin);
    const answered = () => {
      end(true);
    };
    socket.once("connect", answered).on("error", answered);
  });
}
