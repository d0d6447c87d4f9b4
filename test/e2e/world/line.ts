import { connect, createServer } from "node:net";
import { listen } from "../../../conformance/faults/listening.ts";

/** A connection to a server on 127.0.0.1, which can be cut and restored. */
export interface Line {
  readonly port: number;
  /** Resets open connections, and new ones until `restore`. */
  cut(): void;
  restore(): void;
  /** Moves the `Date` header of plain HTTP answers by this many milliseconds. */
  shiftDates(milliseconds: number): void;
  /** Everything that clients have sent so far. */
  sent(): string;
  close(): Promise<void>;
}

/** Forwards TCP unchanged, so that TLS passes through. */
export async function lineTo(serverPort: number): Promise<Line> {
  let whole = true;
  let aheadMs = 0;
  const chunks: Buffer[] = [];
  let breaking = new AbortController();
  const listening = await listen(
    createServer((client) => {
      if (!whole) {
        client.resetAndDestroy();
        return;
      }
      const server = connect(serverPort, "127.0.0.1");
      const drop = () => {
        client.resetAndDestroy();
        server.destroy();
      };
      breaking.signal.addEventListener("abort", drop, { once: true });
      server.on("error", () => client.destroy());
      client.on("close", () => {
        breaking.signal.removeEventListener("abort", drop);
        server.destroy();
      });
      server.on("close", () => client.destroy());
      client.on("data", (chunk) => chunks.push(chunk));
      client.pipe(server);
      server.on("data", (chunk: Buffer) => client.write(withDateShifted(chunk, aheadMs)));
    }),
  );
  return {
    port: listening.port,
    cut() {
      whole = false;
      breaking.abort();
    },
    restore() {
      breaking = new AbortController();
      whole = true;
    },
    shiftDates(milliseconds) {
      aheadMs = milliseconds;
    },
    sent: () => Buffer.concat(chunks).toString("latin1"),
    close: () => listening.close(),
  };
}

/** HTTP dates have a fixed length, so the rest of the answer does not move. */
function withDateShifted(chunk: Buffer, aheadMs: number): Buffer {
  if (aheadMs === 0) return chunk;
  const text = chunk
    .toString("latin1")
    .replace(/(\r\nDate: )([^\r]{29})(?=\r\n)/i, (_all, name: string, date: string) => {
      return name + new Date(Date.parse(date) + aheadMs).toUTCString();
    });
  return Buffer.from(text, "latin1");
}
