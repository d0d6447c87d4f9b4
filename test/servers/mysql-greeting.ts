import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const timeoutMs = 10_000;

/** Flags of the protocol: passwords are hashed, the protocol is that of MySQL 4.1, TLS follows. */
const sslRequest = 0x0000_8000 | 0x0000_0200 | 0x0000_0800;

/** Returns the version that a MySQL or MariaDB server names in its first packet. Rejects if it answers with an error. */
export async function readGreeting(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  try {
    return await readVersion(socket);
  } finally {
    socket.destroy();
  }
}

/** Switches to TLS after the server's greeting. Returns the version of TLS; rejects if the certificate is not valid for `host`. */
export async function readTlsVersion(host: string, port: number, ca: string): Promise<string> {
  const socket = connect({ host, port });
  try {
    await readVersion(socket);
    const packet = Buffer.alloc(36);
    packet.writeUIntLE(32, 0, 3);
    packet.writeUInt8(1, 3);
    packet.writeUInt32LE(sslRequest, 4);
    packet.writeUInt32LE(0x00ff_ffff, 8);
    packet.writeUInt8(45, 12);
    socket.write(packet);
    const secure = connectTls({ socket, host, ca });
    await once(secure, "secureConnect");
    return secure.getProtocol() ?? "none";
  } finally {
    socket.destroy();
  }
}

async function readVersion(socket: Socket): Promise<string> {
  let received = Buffer.alloc(0);
  const signal = AbortSignal.timeout(timeoutMs);
  while (received.length < 4 || received.length < 4 + received.readUIntLE(0, 3)) {
    const [chunk] = (await once(socket, "data", { signal })) as [Buffer];
    received = Buffer.concat([received, chunk]);
  }
  // Nothing may read from the socket until TLS does.
  socket.pause();
  const packet = received.subarray(4);
  // An error has its code and its text instead.
  if (packet[0] !== 10)
    throw new Error(`The server refuses connections: ${packet.toString("latin1", 3)}`);
  // The version ends with a zero byte. Old clients read MariaDB's version as MySQL's, so it has a prefix.
  return packet.toString("latin1", 1, packet.indexOf(0)).replace(/^5\.5\.5-/, "");
}
