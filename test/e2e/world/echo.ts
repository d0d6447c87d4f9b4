import { serveOnLoopback } from "../../../local/loopback.ts";

/** Refuses requests and repeats their content, like a careless server. */
export interface Echo {
  readonly url: string;
  /** The headers and bodies that it received. */
  readonly heard: readonly string[];
  /** From now on, refuses every request, and not only those below `/refused`. */
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
