import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { frame, packetReader, packetTypes } from "./packets.ts";

const TLS_HANDSHAKE = 0x16;
const FIRST_TLS_RECORD = 0x14;
const LAST_TLS_RECORD = 0x17;

/** Whether the client begins with TLS at once (TDS 8, "strict"); eats no byte. */
export function beginsWithTls(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const look = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      socket.off("readable", look);
      socket.unshift(chunk);
      resolve(chunk[0] === TLS_HANDSHAKE);
    };
    socket.on("readable", look);
  });
}

/** TDS 8: everything inside TLS. */
export function strictTls(socket: Socket, secureContext: SecureContext): TLSSocket {
  return quiet(
    new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["tds/8.0"] }),
  );
}

/**
 * TDS 7: the handshake travels inside PRELOGIN packets, and everything after it is bare TLS. Works with TLS 1.2
 * only: later versions send session tickets after the handshake, where the client expects an answer.
 */
export function tlsInPackets(socket: Socket, secureContext: SecureContext): TLSSocket {
  let bare = false;
  let flight: Buffer[] = [];
  const reader = packetReader(({ payload }) => tunnel.push(payload));

  /** The client reads one message per flight, so what TLS writes in pieces goes out in one. */
  function sendFlight(): void {
    const message = Buffer.concat(flight);
    flight = [];
    if (!socket.destroyed) socket.write(frame(packetTypes.prelogin, message, 32_767));
  }

  const tunnel = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      if (bare) {
        socket.write(chunk, done);
        return;
      }
      if (flight.length === 0) setImmediate(sendFlight);
      flight.push(chunk);
      done();
    },
    final(done) {
      socket.end();
      done();
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    const first = chunk[0] ?? 0;
    bare ||= reader.atBoundary && first >= FIRST_TLS_RECORD && first <= LAST_TLS_RECORD;
    if (bare) {
      tunnel.push(chunk);
      return;
    }
    try {
      reader.push(chunk);
    } catch {
      socket.destroy();
    }
  });
  socket.on("end", () => tunnel.push(null));
  socket.on("close", () => tunnel.destroy());
  return quiet(new TLSSocket(tunnel, { isServer: true, secureContext }));
}

/** A client that does not trust the certificate disconnects, which is not an error here. */
function quiet(stream: TLSSocket): TLSSocket {
  stream.on("error", () => stream.destroy());
  return stream;
}
