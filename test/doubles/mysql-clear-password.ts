import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { listen } from "../../conformance/faults/listening.ts";
import type { Certificate } from "../../local/certificate.ts";
import { noteUse } from "../servers/report/uses.ts";

/** Flags of the protocol: MySQL 4.1, transactions, secure log-in, TLS, plugins. */
const protocol41 = 0x0200;
const tlsOffered = 0x0800;
const others = 0x2000 | 0x8000 | 0x0008_0000;

/** Where the client's answer to the greeting has the name of the account, after the header and fields of fixed length. */
const nameAt = 4 + 32;

const packet = (sequence: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.length, 0, 3);
  header.writeUInt8(sequence, 3);
  return Buffer.concat([header, body]);
};

const text = (value: string) => Buffer.from(`${value}\0`, "latin1");

function greeting(): Buffer {
  const flags = protocol41 | tlsOffered | others;
  const [lower, upper] = [Buffer.alloc(2), Buffer.alloc(2)];
  lower.writeUInt16LE(flags & 0xffff);
  upper.writeUInt16LE(flags >>> 16);
  return packet(
    0,
    Buffer.from([10]),
    text("8.0.40-azure"),
    Buffer.from([1, 0, 0, 0]),
    text("12345678"),
    lower,
    Buffer.from([45, 2, 0]),
    upper,
    Buffer.from([21, ...Array<number>(10).fill(0)]),
    text("abcdefghijkl"),
    text("caching_sha2_password"),
  );
}

const accessDenied = (sequence: number): Buffer =>
  packet(sequence, Buffer.from([0xff, 0x15, 0x04]), Buffer.from("#28000refused"));

/**
 * A server that offers TLS and asks every account for its password as it is, as Azure Database for MySQL does for Entra tokens. It
 * remembers what it received and refuses every log-in.
 */
export async function startClearPasswordServer(certificate: Certificate) {
  const received: {
    readonly account: string;
    readonly encrypted: boolean;
    readonly text: string;
  }[] = [];

  function serve(socket: Socket): void {
    socket.on("error", () => undefined);
    socket.write(greeting());
    socket.once("data", (first: Buffer) => {
      const wantsTls = (first.readUInt32LE(4) & tlsOffered) !== 0;
      if (!wantsTls) {
        logIn(socket, false, first);
        return;
      }
      // The first message of TLS may come in the same chunk.
      socket.pause();
      socket.unshift(first.subarray(4 + first.readUIntLE(0, 3)));
      const secured = new TLSSocket(socket, {
        isServer: true,
        secureContext: createSecureContext({ cert: certificate.cert, key: certificate.key }),
      });
      secured.on("error", () => undefined);
      secured.once("data", (response: Buffer) => {
        logIn(secured, true, response);
      });
    });
  }

  function logIn(socket: Socket, encrypted: boolean, response: Buffer): void {
    const sequence = response.readUInt8(3);
    socket.write(packet(sequence + 1, Buffer.from([0xfe]), text("mysql_clear_password")));
    socket.once("data", (answer: Buffer) => {
      const account = response.toString("utf8", nameAt, response.indexOf(0, nameAt));
      received.push({ account, encrypted, text: answer.subarray(4).toString("utf8") });
      socket.end(accessDenied(sequence + 3));
    });
  }

  const listening = await listen(createServer(serve));
  noteUse("mysql", "double");
  return { received, port: listening.port, close: () => listening.close() };
}
