import type { Socket } from "node:net";
import { hearSignal } from "./heard-signal.ts";

/** Milliseconds to wait for an orderly close, if the server does not answer it. */
const goodbye = 500;

/** The ways to end a connection: at once, also when the signal fires, or with an orderly close within a short time. */
export function endOnSignal(socket: Socket, signal: AbortSignal) {
  let leaving = false;
  const drop = () => {
    // A reset discards data that is not sent yet; a close would still deliver it, perhaps much later. But a socket that is
    // not open, or is closing, cannot be reset, and would stay.
    const open = !socket.connecting && !leaving && !socket.writableEnded;
    if (open) socket.resetAndDestroy();
    else socket.destroy();
  };
  const heard = hearSignal(signal, drop);
  return {
    drop,
    listen: (next: AbortSignal | undefined) => {
      heard.listen(next);
    },
    isOver: () => heard.current()?.aborted ?? false,
    async leave(part: () => Promise<unknown>): Promise<void> {
      leaving = true;
      const late = setTimeout(drop, goodbye);
      await part();
      clearTimeout(late);
      heard.listen(undefined);
    },
  };
}
