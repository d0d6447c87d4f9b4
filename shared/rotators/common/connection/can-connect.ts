import { lookup } from "node:dns";
import { connect, type LookupFunction } from "node:net";
import { contactWithin } from "../../../core/fleet/server-limits.ts";

/** The system looks up a few names at a time for the whole process, and a lookup cannot be cancelled. */
const maxLookups = 2;
let pendingLookups = 0;

/**
 * Whether a server (`host:port`), or any of several separated by commas, accepts or refuses a TCP connection. False when none has answered
 * within two seconds. Sends nothing. A name that cannot be resolved counts as an answer, because the next call reports what is wrong with
 * it. So does any server while several names are being looked up.
 */
export async function canConnect(servers: string): Promise<boolean> {
  if (pendingLookups >= maxLookups) return true;
  const stop = new AbortController();
  const answers = servers.split(",").map((server) => isAnswered(server, stop.signal));
  const first = answers.map(async (answer) => {
    if (!(await answer)) throw new Error("no answer");
    return true;
  });
  const result = await Promise.any(first).catch(() => false);
  stop.abort();
  return result;
}

/** Ends early, with false, when the signal fires. */
function isAnswered(server: string, signal: AbortSignal): Promise<boolean> {
  const colon = server.lastIndexOf(":");
  const host = server.slice(0, colon).replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(server.slice(colon + 1)), lookup: countedLookup });
  return new Promise((resolve) => {
    const end = (isThere: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isThere);
    };
    // When this process was busy, the connection may be there although nothing has been heard of it yet.
    const timer = setTimeout(() => setImmediate(end, false), contactWithin);
    const answered = () => {
      end(true);
    };
    socket.once("connect", answered).on("error", answered);
    signal.addEventListener("abort", () => {
      end(false);
    });
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
