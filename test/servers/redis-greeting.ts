import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { TestServer } from "./server.ts";

const timeoutMs = 10_000;

/**
 * Logs in over TLS without a driver, sends commands, and returns all replies in the form of the protocol. Rejects if any of them is
 * an error.
 */
export async function talkToRedis(
  { host, port, ca }: Pick<TestServer, "host" | "port" | "ca">,
  { account, secret }: Credential,
  ...commands: readonly (readonly string[])[]
): Promise<string> {
  const socket = connect({ host, port, ca });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error("The server does not answer.")));
  // After QUIT the server closes the connection, so the end of the replies needs no parser.
  for (const words of [["AUTH", account, secret.reveal()], ...commands, ["QUIT"]])
    socket.write(toCommand(words));
  const replies = await text(socket);
  const error = /^-(.*)\r\n/m.exec(replies)?.[1];
  if (error !== undefined) throw new Error(`The server answered: ${error}`);
  return replies;
}

/** Logs in as the admin and returns the version that Redis or Valkey reports. */
export async function readRedisVersion(
  server: Pick<TestServer, "host" | "port" | "ca" | "admin">,
): Promise<string> {
  const info = await talkToRedis(server, server.admin, ["INFO", "server"]);
  const field = (name: string) => new RegExp(`^${name}:(\\S+)\\r\\n`, "m").exec(info)?.[1];
  // Valkey also reports the version of Redis that it is compatible with.
  const version = field("valkey_version") ?? field("redis_version");
  if (version === undefined) throw new Error("The server reported no version.");
  return version;
}

const toCommand = (words: readonly string[]): string =>
  [
    `*${String(words.length)}`,
    ...words.flatMap((word) => [`$${String(Buffer.byteLength(word))}`, word]),
  ]
    .map((line) => `${line}\r\n`)
    .join("");
