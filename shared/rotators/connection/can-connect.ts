import { connect } from "node:net";
import { contactWithin } from "../../core/fleet/servers.ts";

/**
 * Whether a server (`host:port`) accepts or refuses a TCP connection. False when it has not answered within a second. Sends nothing.
 * A name that cannot be resolved counts as an answer, because the next call reports what is wrong with it.
 */
export function canConnect(server: string): Promise<boolean> {
  const colon = server.lastIndexOf(":");
  const socket = connect({ host: server.slice(0, colon), port: Number(server.slice(colon + 1)) });
  return new Promise((resolve) => {
    const end = (isAnswered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isAnswered);
    };
    const timer = setTimeout(end, contactWithin, false);
    const answered = () => {
      end(true);
    };
    socket.once("connect", answered).on("error", answered);
  });
}
