import type { Duplex } from "node:stream";
import { BSON, type Document } from "mongodb";

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;
const MAX_MESSAGE = 48_000_000;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;

/** One request: the command with its database, and how to answer it. */
export interface WireRequest {
  readonly command: Document;
  readonly database: string;
  /** Fire and forget: the client reads no answer. */
  readonly wantsNoAnswer: boolean;
  encode(answer: Document): Buffer;
}

/** Splits the byte stream into messages, in order. Other bytes end the connection. */
export function readRequests(stream: Duplex, onRequest: (request: WireRequest) => void): void {
  let pending = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= HEADER) {
      const length = pending.readInt32LE(0);
      if (length < HEADER || length > MAX_MESSAGE) {
        stream.destroy();
        return;
      }
      if (pending.length < length) return;
      const message = pending.subarray(0, length);
      pending = pending.subarray(length);
      try {
        onRequest(decode(message));
      } catch {
        stream.destroy();
        return;
      }
    }
  });
}

function decode(message: Buffer): WireRequest {
  const id = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === OP_MSG) return decodeMsg(id, message);
  if (opcode === OP_QUERY) return decodeQuery(id, message);
  throw new Error(`opcode ${String(opcode)} is not spoken here`);
}

function decodeMsg(id: number, message: Buffer): WireRequest {
  const flags = message.readUInt32LE(HEADER);
  const end = message.length - ((flags & CHECKSUM_PRESENT) === 0 ? 0 : 4);
  let offset = HEADER + 4;
  let command: Document = {};
  while (offset < end) {
    const kind = message.readUInt8(offset);
    const size = message.readInt32LE(offset + 1);
    // Kind 1 carries the documents of bulk writes, which no command spoken here has.
    if (kind === 0) command = BSON.deserialize(message.subarray(offset + 1, offset + 1 + size));
    if (size <= 0) throw new Error("empty section");
    offset += 1 + size;
  }
  const database: unknown = command["$db"];
  if (typeof database !== "string") throw new Error("OP_MSG without $db");
  return {
    command,
    database,
    wantsNoAnswer: (flags & MORE_TO_COME) !== 0,
    encode: (answer) =>
      frame(id, OP_MSG, [Buffer.from([0, 0, 0, 0, 0]), Buffer.from(BSON.serialize(answer))]),
  };
}

/** Clients say hello in OP_QUERY, because a server too old for OP_MSG would understand it. */
function decodeQuery(id: number, message: Buffer): WireRequest {
  const nameEnd = message.indexOf(0, HEADER + 4);
  const namespace = message.toString("utf8", HEADER + 4, nameEnd);
  return {
    command: BSON.deserialize(message.subarray(nameEnd + 1 + 8)),
    database: namespace.replace(/\.\$cmd$/, ""),
    wantsNoAnswer: false,
    encode(answer) {
      const prefix = Buffer.alloc(20);
      prefix.writeInt32LE(8, 0);
      prefix.writeInt32LE(1, 16);
      return frame(id, OP_REPLY, [prefix, Buffer.from(BSON.serialize(answer))]);
    },
  };
}

function frame(responseTo: number, opcode: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + body.length, 0);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(opcode, 12);
  return Buffer.concat([header, body]);
}
