import { afterAll, beforeAll, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../../../local/azurite.ts";
import {
  makeWrongKey,
  type Probe,
  proofs,
} from "../../../shared/rotators/azure-key/azure-key-proofs.ts";
import { getPart } from "../../stores/connection-strings.ts";

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite({ memory: true });
});
afterAll(() => azurite.close());

function toProbe(service: "Blob" | "Queue" | "Table", changed: Partial<Probe> = {}): Probe {
  const { connectionString } = azurite;
  const address = `${getPart(connectionString, `${service}Endpoint`).replace(/\/$/, "")}/`;
  return {
    name: getPart(connectionString, "AccountName"),
    url: new URL(address),
    key: getPart(connectionString, "AccountKey"),
    id: "",
    properties: service === "Table" ? { primaryEndpoints: { table: address } } : {},
    now: Date.now(),
    ...changed,
  };
}

async function send(probe: Probe): Promise<number> {
  const { url, method, headers } = proofs.storage.toRequest(probe);
  const response = await fetch(url, { method, headers });
  await response.arrayBuffer();
  return response.status;
}

test.each(["Blob", "Queue", "Table"] as const)(
  "a real storage emulator accepts the proof of its key for %s, and refuses that of a wrong one",
  async (service) => {
    const probe = toProbe(service);
    expect(await send(probe)).toBe(200);
    expect(await send({ ...probe, key: makeWrongKey(probe.key) })).toBe(403);
  },
);
