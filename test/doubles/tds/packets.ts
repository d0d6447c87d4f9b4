import type { Duplex } from "node:stream";

export const packetTypes = {
  batch: 0x01,
  rpc: 0x03,
  response: 0x04,
  attention: 0x06,
  login7: 0x10,
  prelogin: 0x12,
} as const;

const HEADER = 8;
const LAST_TYPE = 0x12;
const END_OF_MESSAGE = 0x01;

export interface TdsMessage {
  readonly type: number;
  readonly payload: Buffer;
}

/** Takes bytes as they come; hands on each message when its last packet is complete. */
export interface PacketReader {
  push(chunk: Buffer): void;
  /** Nothing half-read: the next byte begins a packet, or something that is no packet. */
  readonly atBoundary: boolean;
}

export function packetReader(onMessage: (message: TdsMessage) => void): PacketReader {
  let pending = Buffer.alloc(0);
  let parts: Buffer[] = [];
  return {
    get atBoundary() {
      return pending.length === 0 && parts.length === 0;
    },
    push(chunk) {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= HEADER) {
        const length = pending.readUInt16BE(2);
        if (length < HEADER || pending.readUInt8(0) > LAST_TYPE) throw new Error("not TDS");
        if (pending.length < length) return;
        const type = pending.readUInt8(0);
        const isLast = (pending.readUInt8(1) & END_OF_MESSAGE) !== 0;
        parts.push(pending.subarray(HEADER, length));
        pending = pending.subarray(length);
        if (!isLast) continue;
        const payload = Buffer.concat(parts);
        parts = [];
        onMessage({ type, payload });
      }
    },
  };
}

/** Reads messages until detached; bytes that are no packets end the connection. */
export function readMessages(stream: Duplex, onMessage: (message: TdsMessage) => void): () => void {
  const reader = packetReader(onMessage);
  const onData = (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch {
      stream.destroy();
    }
  };
  stream.on("data", onData);
  return () => {
    stream.off("data", onData);
  };
}

/** One message, cut into packets of at most `packetSize` bytes. */
export function frame(type: number, payload: Buffer, packetSize = 4096): Buffer {
  const room = packetSize - HEADER;
  const packets: Buffer[] = [];
  for (let offset = 0; offset === 0 || offset < payload.length; offset += room) {
    const body = payload.subarray(offset, offset + room);
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(type, 0);
    header.writeUInt8(offset + room >= payload.length ? END_OF_MESSAGE : 0, 1);
    header.writeUInt16BE(HEADER + body.length, 2);
    header.writeUInt8((packets.length + 1) % 256, 6);
    packets.push(header, body);
  }
  return Buffer.concat(packets);
}
