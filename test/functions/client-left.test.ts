import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type HttpHandler, HttpRequest, type InvocationContext } from "@azure/functions";
import { expect, onTestFinished, test, vi } from "vitest";

interface LoadedApp {
  readonly handlers: Map<string, unknown>;
  operations: unknown;
}
const app = vi.hoisted((): LoadedApp => ({ handlers: new Map(), operations: undefined }));
vi.mock("@azure/functions", async (importOriginal) => {
  const http = (name: string, { handler }: { readonly handler: unknown }) => {
    app.handlers.set(name, handler);
  };
  return { ...(await importOriginal<object>()), app: { http } };
});
vi.mock("../../functions/invocation/invocation-operations.ts", () => ({
  openOperations: () => Promise.resolve(app.operations),
}));

const rotation = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

test("A client that leaves before its stream begins ends the stream", async () => {
  await import("../../functions/api-rotations.ts");
  const handler = app.handlers.get("api-rotation-events") as HttpHandler;
  const gone = Promise.withResolvers<undefined>();
  let reads = 0;
  app.operations = {
    // The first thing that a request waits for.
    admit: () => gone.promise,
    rotation() {
      reads++;
      return Promise.resolve({ rotationId: rotation, state: "running", phases: [] });
    },
  };
  const answered = Promise.withResolvers<unknown>();
  const client = new AbortController();
  const server = createServer((_request, response) => {
    response.once("close", () => {
      gone.resolve(undefined);
    });
    const request = new HttpRequest({
      method: "GET",
      url: "http://localhost/api/targets/app/rotations/x/events",
      params: { target: "app", rotation },
    });
    const context = { invocationId: "left-early", warn: () => undefined };
    answered.resolve(handler(request, context as unknown as InvocationContext));
    client.abort();
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", listening);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const headers = { "x-ms-invocation-id": "left-early" };
  await expect(fetch(url, { headers, signal: client.signal })).rejects.toThrow();

  const { body } = (await answered.promise) as { readonly body: ReadableStream<Uint8Array> };
  const text = await Promise.race([new Response(body).text(), afterSeconds(5)]);
  expect(text).toBe("retry: 2000\n\n");
  expect(reads).toBe(1);
});

const afterSeconds = (seconds: number): Promise<string> =>
  new Promise((done) => {
    setTimeout(() => {
      done("the stream goes on");
    }, seconds * 1_000);
  });
