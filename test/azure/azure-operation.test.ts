import { afterEach, describe, expect, it } from "vitest";
import type { AzureRequest } from "../../shared/azure/azure-call.ts";
import { changeAtAzure } from "../../shared/azure/azure-operation.ts";
import { type Scripted, type ScriptedAzure, startScripted } from "./scripted-azure.ts";

const open: ScriptedAzure[] = [];
afterEach(async () => {
  for (const azure of open.splice(0)) {
    await expect.poll(() => azure.connections.open).toBe(0);
    await azure.close();
  }
});

async function start(...answers: readonly Scripted[]): Promise<ScriptedAzure> {
  const azure = await startScripted(...answers);
  open.push(azure);
  return azure;
}

const request: AzureRequest = { method: "POST", path: "/things/1/mint?api-version=1", body: {} };
const change = ({ access }: ScriptedAzure, signal = AbortSignal.timeout(20_000)) =>
  changeAtAzure(access, request, signal);
const urls = ({ seen }: ScriptedAzure) => seen.map(({ method, url }) => `${method} ${url}`);

const status = { "azure-asyncoperation": "/operations/7?api-version=1" };
const location = { location: "/results/7?api-version=1" };
const minting = "POST /things/1/mint?api-version=1";

describe("a change that Azure makes at once", () => {
  it.each([
    ["200", { body: { keys: [] } }],
    ["204", { status: 204 }],
    ["a resource that is ready", { body: { properties: { provisioningState: "Succeeded" } } }],
  ])("is done with %s", async (_, answer) => {
    const azure = await start(answer);
    expect(await change(azure)).toMatchObject({ is: "done" });
    expect(urls(azure)).toEqual([minting]);
  });
});

describe("a long-running operation", () => {
  it("is followed at its status", async () => {
    const azure = await start(
      { status: 202, headers: { ...status, ...location } },
      { body: { status: "InProgress" } },
      { body: { status: "Accepted" } },
      { body: { status: "Succeeded", properties: { a: 1 } } },
    );
    const ending = await change(azure);
    expect(ending).toMatchObject({ is: "done", reply: { body: { properties: { a: 1 } } } });
    expect(urls(azure)).toEqual([
      minting,
      ...Array<string>(3).fill("GET /operations/7?api-version=1"),
    ]);
  });

  it("is followed at its status also after 200 and 201", async () => {
    const azure = await start({ status: 201, headers: status }, { body: { status: "succeeded" } });
    expect(await change(azure)).toMatchObject({ is: "done" });
    expect(azure.seen).toHaveLength(2);
  });

  it("is followed at its location, if it has no status", async () => {
    const azure = await start(
      { status: 202, headers: location },
      { status: 202 },
      { body: { keys: [1] } },
    );
    expect(await change(azure)).toMatchObject({ is: "done", reply: { body: { keys: [1] } } });
  });

  it("is followed at the resource, if it has neither", async () => {
    const azure = await start(
      { body: { properties: { provisioningState: "Updating" } } },
      { body: { properties: { provisioningState: "Updating" } } },
      { body: { properties: { provisioningState: "Succeeded" } } },
    );
    expect(await change(azure)).toMatchObject({ is: "done" });
    expect(urls(azure).slice(1)).toEqual(Array<string>(2).fill("GET /things/1/mint?api-version=1"));
  });

  it.each([
    ["status", { ...status }, { body: { status: "Failed", error: { code: "Broken" } } }],
    ["status", { ...status }, { body: { status: "Canceled", error: { code: "Broken" } } }],
    ["location", location, { status: 409, body: { error: { code: "Broken" } } }],
  ])("can fail, which its %s shows", async (_, headers, end) => {
    const azure = await start({ status: 202, headers }, end);
    expect(await change(azure)).toEqual({ is: "failed", codes: ["Broken"] });
  });

  it.each([
    ["a poll that is forbidden", { status: 403, body: { error: { code: "AuthorizationFailed" } } }],
    ["a record that is gone", { status: 404, body: { error: { code: "NotFound" } } }],
    ["polls that only a gateway answers", { status: 502, body: "<html>" }],
    ["polls that are lost", { instead: "reset" } as const],
    ["reports that say nothing", { body: {} }],
  ])("has an unknown result after %s", async (_, poll) => {
    const azure = await start({ status: 202, headers: status }, poll);
    expect(await change(azure)).toEqual({ is: "unknown" });
    expect(azure.seen.length).toBeLessThanOrEqual(4);
  });

  it("goes on although two polls fail", async () => {
    const azure = await start(
      { status: 202, headers: status },
      { instead: "reset" },
      { status: 500, body: { error: { code: "Oops" } } },
      { body: { status: "Succeeded" } },
    );
    expect(await change(azure)).toMatchObject({ is: "done" });
  });

  it("has an unknown result when the signal fires, however long the next poll would wait", async () => {
    const headers = { ...status, "retry-after": "3600" };
    const azure = await start({ status: 202, headers });
    expect(await change(azure, AbortSignal.timeout(300))).toEqual({ is: "unknown" });
    expect(azure.seen).toHaveLength(1);
  });

  it("has an unknown result if nobody says where it goes on", async () => {
    const azure = await start({ status: 202 });
    expect(await change(azure)).toEqual({ is: "unknown" });
  });

  it.each(["azure-asyncoperation", "location"])(
    "is not followed to another origin, which would get the token: %s",
    async (header) => {
      const other = await start({ body: { status: "Succeeded" } });
      const headers = { [header]: `${other.access.origin}/operations/7` };
      const azure = await start({ status: 202, headers });
      expect(await change(azure)).toEqual({ is: "unknown" });
      expect(other.seen).toEqual([]);
    },
  );
});

describe("a change that Azure did not accept", () => {
  it.each([
    [
      { status: 409, body: { error: { code: "Busy" } } },
      { by: "azure", status: 409 },
    ],
    [
      { status: 302, headers: { location: "/x" } },
      { by: "gateway", status: 302 },
    ],
    [{ instead: "reset" } as const, { by: "nobody", sent: true }],
  ])("is returned as it was answered: %j", async (answer, reply) => {
    const azure = await start(answer);
    expect(await change(azure)).toMatchObject({ is: "not-accepted", reply });
    expect(azure.seen).toHaveLength(1);
  });
});
