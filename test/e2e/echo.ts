import { serveOnLoopback } from "../../local/loopback.ts";

/** Refuses every request with all that it was told, as a careless server would. */
export interface Echo {
  readonly url: string;
  /** Headers and bodies that it was sent. */
  readonly heard: readonly string[];
  close(): Promise<void>;
}

export async function startEcho(): Promise<Echo> {
  const heard: string[] = [];
  const server = await serveOnLoopback({
    bodyLimit: 1_000_000,
    handler: () => (request) => {
      const { method, path, headers } = request;
      const body = request.body?.toString("utf8") ?? "";
      heard.push(`${JSON.stringify(headers)}\n${body}`);
      const query = request.query.toString();
      return Promise.resolve({
        status: 500,
        json: { error: { method, path, query, headers, body } },
      });
    },
  });
  return { url: server.url, heard, close: () => server.close() };
}
