import { lookup } from "node:dns";
import { connect, type LookupFunction } from "node:net";
import { contactWithin } from "../../core/fleet/server-limits.ts";

/** The system looks up a few names at a time for the whole process, and a lookup cannot be cancelled. */
const maxLookups = 2;
let pendingLookups = 0;

/**
 * Whether a server (`host:port`) accepts or refuses a TCP connection. False when it has not answered within two seconds. Sends nothing.
 * A name that cannot be resolved counts as an answer, because the next call reports what is wrong with it. So does any server while
 * several names are being looked up.
 */
export async function canConnect(server: string): Promise<boolean> {
  if (pendingLookups >= maxLookups) return true;
  const colon = server.lastIndexOf(":");
  const [host, port] = [server.slice(0, colon), Number(server.slice(colon + 1))];
  const socket = connect({ host, port, lookup: countedLookup });
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

/** Counts until the name is resolved, however long ago the socket was closed. */
const countedLookup: LookupFunction = (hostname, options, callback) => {
  pendingLookups += 1;
  lookup(hostname, options, (...answer) => {
    pendingLookups -= 1;
    callback(...answer);
  });
};
