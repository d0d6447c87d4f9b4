import { serveOnLoopback } from "../../../local/loopback.ts";

/** Refuses requests with all that it was told, as a careless server would. */
export interface Echo {
  readonly url: string;
  /** Headers and bodies that it was sent. */
  readonly heard: readonly string[];
  /** From now on everything is refused, and not only what comes below `/refused`. */
  refuseAll(): void;
  close(): Promise<void>;
}

export async function startEcho(): Promise<Echo> {
  const heard: string[] = [];
  let refusing = false;
  const server = await serveOnLoopback({
    bodyLimit: 1_000_000,
    handler: () => (request) => {
      const { method, path, headers } = request;
      const body = request.body?.toString("utf8") ?? "";
      heard.push(`${JSON.stringify(headers)}\n${body}`);
      const status = refusing || path.startsWith("/refused") ? 500 : 200;
      const query = request.query.toString();
      return Promise.resolve({ status, json: { error: { method, path, query, headers, body } } });
    },
  });
  return {
    url: server.url,
    heard,
    refuseAll() {
      refusing = true;
    },
    close: () => server.close(),
  };
}
