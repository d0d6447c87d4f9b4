import { request } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { makeArmKeys } from "../../../local/azure/arm/key-store.ts";
import { forget, makeApplication, put } from "../../../local/azure/graph/application.ts";
import { makeCertificate } from "../../../local/certificate.ts";
import { startIdentityEndpoint } from "../../../local/identity/endpoint.ts";
import { startAzure } from "../../../local/start/environment/azure.ts";
import { createClosing } from "../../../local/start/environment/closing.ts";
import { takeDataFolder } from "../../../local/start/environment/data-folder.ts";
import { dataFolder } from "./start-fixture.ts";

const tls = await makeCertificate();

/** Starts the doubles as `npm start` does. */
async function start(data: string) {
  const folder = await takeDataFolder(data);
  const closing = createClosing();
  closing.add(() => folder.release());
  const identity = await startIdentityEndpoint();
  closing.add(() => identity.close());
  onTestFinished(() => closing.close());
  const azure = await startAzure(folder, closing, { identity, tls, ports: {} });
  return { azure, identity, close: () => closing.close() };
}

/** The status of a request with this token. */
function ask(method: string, url: string, token: string): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${token}`, "content-length": "0" };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ca: tls.ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("Resource Manager and Graph accept only tokens of the identity for their own address", async () => {
  const { azure, identity } = await start(await dataFolder());
  const { resourceManager, openAi, entra } = azure;
  const list = `${resourceManager}${openAi.resource}/listKeys?api-version=2025-09-01`;
  const read = `${entra.graph}/v1.0/applications(appId='${entra.application.appId}')?$select=id`;
  const tokenFor = (audience: string) => identity.issue(audience).token;
  expect(await ask("POST", list, tokenFor(resourceManager))).toBe(200);
  expect(await ask("GET", read, tokenFor(entra.graph))).toBe(200);
  for (const other of [entra.graph, entra.logIn, openAi.url, "https://vault.azure.net"]) {
    expect(await ask("POST", list, tokenFor(other)), other).toBe(401);
  }
  for (const other of [resourceManager, entra.logIn, "https://vault.azure.net"]) {
    expect(await ask("GET", read, tokenFor(other)), other).toBe(401);
  }
  expect(await ask("POST", list, "invented")).toBe(401);
});

test("Keys and client secrets are the same after a restart", async () => {
  const data = await dataFolder();
  const first = await start(data);
  first.azure.openAi.keys.regenerate("key2");
  const [kept, removed] = [first.azure.entra.put(), first.azure.entra.put()];
  forget(first.azure.entra.application, 0, removed.keyId);
  const before = new Map(first.azure.openAi.keys.now);
  const { id, appId } = first.azure.entra.application;
  await first.close();

  const second = await start(data);
  expect(second.azure.openAi.keys.now).toEqual(before);
  expect(second.azure.entra.application).toMatchObject({ id, appId, secrets: [kept] });
});

test("A change that cannot be stored does not take effect, so its answer never arrives", () => {
  let isFull = false;
  const save = () => {
    if (isFull) throw new Error("no space left on device");
  };
  const keys = makeArmKeys(["key1"], { save });
  const application = makeApplication(1, { save });
  const [now, start] = [Date.now(), Date.now()];
  const wanted = { now, start, end: now + 1_000 };
  const secret = put(application, 0, wanted);
  const before = new Map(keys.now);
  isFull = true;
  expect(() => {
    keys.regenerate("key1");
  }).toThrow("no space");
  expect(() => put(application, 0, wanted)).toThrow("no space");
  expect(() => {
    forget(application, 0, secret.keyId);
  }).toThrow("no space");
  expect(keys.now).toEqual(before);
  expect(application.secrets).toEqual([secret]);
});
