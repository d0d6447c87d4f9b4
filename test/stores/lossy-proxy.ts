import { createServer, type IncomingMessage, request as forward } from "node:http";
import { buffer } from "node:stream/consumers";
import { listen, type Listening } from "../../conformance/faults/listening.ts";

export interface LossyProxy extends Pick<Listening, "close"> {
  readonly url: string;
  /** Method and path of every request, in order. */
  readonly seen: readonly string[];
  /** Bytes of all reply bodies so far. */
  received(): number;
  /** The next requests that match take effect, but their reply is lost, once `meanwhile` has ended. */
  loseReply(match: RegExp, times?: number, meanwhile?: () => Promise<void>): void;
  /** The next requests that match are answered with an HTML page, as by a gateway; the server never sees them. */
  answerPage(match: RegExp, status: number, times?: number): void;
  /** From now on, matching requests are received and never answered. */
  hang(match: RegExp): void;
  /** From now on, this converts the `Date` header of replies; undefined leaves it out. */
  changeDate(change: (date: string) => string | undefined): void;
}

/** Stands before an HTTP server and loses replies after the request took effect. */
export async function lossyProxy(upstream: string): Promise<LossyProxy> {
  const seen: string[] = [];
  let [losing, remaining] = [/$^/, 0];
  let before: () => Promise<void> = () => Promise.resolve();
  let page = { match: /$^/, status: 404, times: 0 };
  let hanging = /$^/;
  let bytes = 0;
  let changed = (date: string): string | undefined => date;

  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method ?? ""} ${incoming.url ?? ""}`;
    seen.push(line);
    if (hanging.test(line)) return;
    if (page.times > 0 && page.match.test(line)) {
      page = { ...page, times: page.times - 1 };
      incoming.resume();
      outgoing.writeHead(page.status, { "content-type": "text/html" }).end("<html></html>");
      return;
    }
    const lost = remaining > 0 && losing.test(line);
    if (lost) remaining -= 1;
    pass(upstream, incoming)
      .then(async ({ status, headers, body }) => {
        bytes += body.length;
        if (lost) await before();
        if (lost) incoming.socket.destroy();
        else {
          const { date: _, ...others } = headers;
          const date = changed(headers.date ?? "");
          outgoing.sendDate = false;
          outgoing.writeHead(status, { ...others, ...(date !== undefined && { date }) }).end(body);
        }
      })
      .catch(() => incoming.socket.destroy());
  });
  const listening = await listen(server);
  return {
    url: `http://127.0.0.1:${listening.port}`,
    seen,
    close: () => listening.close(),
    received: () => bytes,
    loseReply: (match, times = 1, meanwhile = () => Promise.resolve()) => {
      [losing, remaining, before] = [match, times, meanwhile];
    },
    answerPage: (match, status, times = 1) => {
      page = { match, status, times };
    },
    hang: (match) => {
      hanging = match;
    },
    changeDate: (change) => {
      changed = change;
    },
  };
}

async function pass(upstream: string, incoming: IncomingMessage) {
  const body = await buffer(incoming);
  const { method, headers } = incoming;
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    forward(new URL(incoming.url ?? "/", upstream), { method, headers })
      .once("response", resolve)
      .once("error", reject)
      .end(body);
  });
  return { status: reply.statusCode ?? 502, headers: reply.headers, body: await buffer(reply) };
}
