import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseVaultEvent } from "../../shared/core/vault-event.ts";

const version = "ee059b2bb5bc48398a53b168c6cdcb10";
const address = `https://kv-orders.vault.azure.net/secrets/orders-db/${version}`;
const data = {
  Id: address,
  VaultName: "kv-orders",
  ObjectType: "Secret",
  ObjectName: "orders-db",
  Version: version,
  NBF: "1559081980",
  EXP: "1559082102",
};
const inGridSchema = {
  id: "00eccf70-95a7-4e7c-8299-2eb17ee9ad64",
  topic: "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv-orders",
  subject: "orders-db",
  eventType: "Microsoft.KeyVault.SecretNearExpiry",
  eventTime: "2019-07-25T01:08:33.1036736Z",
  data,
  dataVersion: "1",
  metadataVersion: "1",
};
const asCloudEvent = {
  id: inGridSchema.id,
  source: inGridSchema.topic,
  subject: "orders-db",
  type: "Microsoft.KeyVault.SecretNearExpiry",
  time: inGridSchema.eventTime,
  data,
  specversion: "1.0",
};
const expected = {
  id: inGridSchema.id,
  kind: "near-expiry",
  host: "kv-orders.vault.azure.net",
  name: "orders-db",
  version,
};

const withId = (Id: unknown) => parseVaultEvent({ ...inGridSchema, data: { ...data, Id } });

/** An event like those in published samples. */
function spaced(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      `${key} `,
      typeof value === "string" ? ` ${value}\t` : value,
    ]),
  );
}

describe("an event of Key Vault", () => {
  it.each([
    ["the Event Grid schema", inGridSchema],
    ["CloudEvents", asCloudEvent],
    ["the Event Grid schema with stray spaces", spaced({ ...inGridSchema, data: spaced(data) })],
    ["CloudEvents with stray spaces", spaced({ ...asCloudEvent, data: spaced(data) })],
    ["times as numbers", { ...inGridSchema, data: { ...data, NBF: 1, EXP: 2 } }],
    ["no times", { ...inGridSchema, data: { Id: address } }],
    ["times that are null", { ...inGridSchema, data: { ...data, NBF: null, EXP: null } }],
  ])("is read in %s", (_schema, event) => {
    expect(parseVaultEvent(event)).toEqual(expected);
    expect(parseVaultEvent(JSON.parse(JSON.stringify(event)))).toEqual(expected);
  });

  it.each([
    ["SecretNearExpiry", "near-expiry"],
    ["SecretExpired", "expired"],
    ["SecretNewVersionCreated", "new-version"],
  ])("says what happened: %s", (type, kind) => {
    const eventType = `Microsoft.KeyVault.${type}`;
    expect(parseVaultEvent({ ...inGridSchema, eventType })).toEqual({ ...expected, kind });
    expect(parseVaultEvent({ ...asCloudEvent, type: eventType })).toEqual({ ...expected, kind });
  });

  it("names the vault by its host in lower case, with a port that is not the usual one", () => {
    expect(withId(`https://KV-Orders.vault.azure.net:443/secrets/a/b`)).toMatchObject({
      host: expected.host,
    });
    expect(withId(`https://127.0.0.1:8443/secrets/a/b`)).toMatchObject({ host: "127.0.0.1:8443" });
    expect(withId(`https://me@kv.vault.azure.net/secrets/a/b`)).toMatchObject({
      host: "kv.vault.azure.net",
    });
  });

  it.each([
    "https://kv.vault.azure.net/keys/a/b",
    "https://kv.vault.azure.net/secrets/a",
    "https://kv.vault.azure.net/secrets/a/b/c",
    "https://kv.vault.azure.net/x/secrets/a/b",
    "https://kv.vault.azure.net/secrets/a_b/c",
    "https://kv.vault.azure.net/secrets/%61/c",
    "https://kv.vault.azure.net/secrets/../secrets/a",
    `https://kv.vault.azure.net/secrets/${"a".repeat(128)}/b`,
    `https://kv.vault.azure.net/secrets/a/${"b".repeat(65)}`,
    "/secrets/a/b",
    "secrets",
    "",
    7,
    null,
    ["https://kv.vault.azure.net/secrets/a/b"],
  ])("is undefined when its address is not a version of a secret: %s", (id) => {
    expect(withId(id)).toBeUndefined();
  });

  it.each([
    "microsoft.keyvault.secretnearexpiry",
    "SecretNearExpiry",
    "constructor",
    "toString",
    "__proto__",
    "hasOwnProperty",
    "",
    1,
    null,
    {},
  ])("is none when its type is another: %s", (type) => {
    expect(parseVaultEvent({ ...inGridSchema, eventType: type })).toBeUndefined();
    expect(parseVaultEvent({ ...asCloudEvent, type })).toBeUndefined();
  });

  it.each(["KeyNearExpiry", "CertificateExpired", "VaultAccessPolicyChanged"])(
    "may be about something else than a secret: %s",
    (type) => {
      const eventType = `Microsoft.KeyVault.${type}`;
      expect(parseVaultEvent({ ...inGridSchema, eventType })).toBe("not about a secret");
      expect(parseVaultEvent({ ...asCloudEvent, type: eventType })).toBe("not about a secret");
    },
  );

  it("never causes an exception, whatever its content", () => {
    const hostile = fc.oneof(
      fc.anything({ withNullPrototype: true, withMap: true, withDate: true, withBigInt: true }),
      fc.jsonValue({ maxDepth: 8 }),
      fc.constantFrom("x".repeat(2_000_000), "https://h/secrets/" + "a/".repeat(500_000)),
    );
    const key = fc.constantFrom("id", "eventType", "type", "data", "Id", "__proto__", " data ");
    fc.assert(
      fc.property(hostile, key, (value, name) => {
        for (const event of [
          value,
          { ...inGridSchema, [name]: value },
          { ...asCloudEvent, data: { ...data, [name]: value } },
          { ...asCloudEvent, data: value },
        ]) {
          const seen = parseVaultEvent(event);
          if (seen === undefined || seen === "not about a secret") continue;
          expect(Object.values(seen).every((field) => typeof field === "string")).toBe(true);
          expect(["near-expiry", "expired", "new-version"]).toContain(seen.kind);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("may be nested to any depth", () => {
    let deep: unknown = address;
    for (let depth = 0; depth < 100_000; depth++) deep = { data: deep, Id: deep };
    expect(parseVaultEvent({ ...inGridSchema, data: deep })).toBeUndefined();
    expect(parseVaultEvent({ ...inGridSchema, extra: deep })).toEqual(expected);
  });

  it("does not read fields of a prototype", () => {
    const event: unknown = JSON.parse(
      JSON.stringify(inGridSchema).replace('"data"', '"data":{},"__proto__"'),
    );
    expect(parseVaultEvent(event)).toBeUndefined();
    expect(parseVaultEvent(Object.create(inGridSchema))).toBeUndefined();
  });
});
