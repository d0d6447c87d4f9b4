import { createServer } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { callAzure } from "../../shared/azure/azure-call.ts";
import { startScripted } from "./scripted-azure.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const request = { method: "GET", path: "/x" } as const;
const patience = () => AbortSignal.timeout(20_000);

test("certificates are verified although the environment switches that off", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const azure = await startScripted({});
  const { ca: _, ...access } = azure.access;
  expect(await callAzure(access, request, patience())).toMatchObject({ by: "nobody", sent: false });
  expect(azure.seen).toEqual([]);
  await azure.close();
});

test("a proxy of the environment is not used on this machine", async () => {
  const proxy = await listen(createServer((socket) => socket.destroy()));
  vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${proxy.port}`);
  const azure = await startScripted({ body: {} });
  expect(await callAzure(azure.access, request, patience())).toMatchObject({ status: 200 });
  expect(proxy.connections.total).toBe(0);
  await azure.close();
  await proxy.close();
});

test("a proxy of the environment is used for Azure itself", async () => {
  const proxy = await listen(createServer((socket) => socket.destroy()));
  vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${proxy.port}`);
  const azure = await startScripted({});
  const access = { ...azure.access, origin: "https://management.azure.com" };
  expect(await callAzure(access, request, patience())).toMatchObject({ by: "nobody" });
  expect(proxy.connections.total).toBe(1);
  await azure.close();
  await proxy.close();
});
