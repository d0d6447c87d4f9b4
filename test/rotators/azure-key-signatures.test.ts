import { expect, test } from "vitest";
import {
  signAppConfiguration,
  signBatch,
  signBus,
  signCosmos,
  signStorage,
  signTable,
  signToken,
} from "../../shared/rotators/azure-key/azure-key-signatures.ts";

/** The signatures that the official clients make of the same requests: @azure/storage-common 12.5.0, cosmos 4.10.1, and so on. */
const key = Buffer.from("0123456789abcdef0123456789abcdef").toString("base64");
const date = "Fri, 11 May 2018 18:48:36 GMT";
const versioned = { "x-ms-version": "2023-11-03", "x-ms-date": date };

test("blobs, files and queues are signed as by the official client", () => {
  const url = new URL("https://a.blob.core.windows.net/?comp=list&maxresults=1");
  expect(signStorage("a", key, url, versioned)).toBe(
    "SharedKey a:CesDqAd09mCd7lp0Pnks4aSebhTM0drB0cM3t8M29Jk=",
  );
});

test("tables are signed as by the official client", () => {
  const url = new URL("https://a.table.core.windows.net/Tables?$top=1");
  expect(signTable("a", key, url, date)).toBe(
    "SharedKey a:6BdzZRccAaMxQc+zF2i8hfHtaEqpvbrZMR18T9ZBd74=",
  );
});

test("Cosmos DB is signed as by the official client", () => {
  expect(signCosmos(key, date)).toBe(
    "type%3Dmaster%26ver%3D1.0%26sig%3D%2Fbe9UFjfdWgVwVL2JSZOsll2GXaHlRp4Mbz3ZbVafTk%3D",
  );
});

test("Service Bus is signed as by the official client", () => {
  const uri = "https://ns.servicebus.windows.net/q";
  expect(signBus("Root Rule", "abc+/=", uri, 1_526_064_516)).toBe(
    "SharedAccessSignature sr=https%3A%2F%2Fns.servicebus.windows.net%2Fq&sig=8bmnYIB%2FmOBKFU5tfcjc2NeP4npF9aHtXYn6RhsGQGI%3D&se=1526064516&skn=Root%20Rule",
  );
});

test("App Configuration is signed as by the official client", () => {
  const url = new URL("https://s.azconfig.io/keys?api-version=1.0&name=keyturn-probe");
  expect(signAppConfiguration("id0", key, url, date)["authorization"]).toBe(
    "HMAC-SHA256 Credential=id0&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=SxaEfxi+4qfw0ouTOLTco9fGzSm53ZGE0MTk5mSR7eM=",
  );
});

test("Batch is signed as by the official client", () => {
  const url = new URL(
    "https://a.westeurope.batch.azure.com/pools?api-version=2022-10-01.16.0&maxresults=1",
  );
  expect(signBatch("a", key, url, date)).toBe(
    "SharedKey a:QCFEuMhElUneOMAFwY7CXIp73u1K4vdU3X44QhF3MYQ=",
  );
});

test("tokens of SignalR and Web PubSub are JWTs with HS256", () => {
  const aud = "https://s.service.signalr.net/api/hubs/h";
  expect(signToken("abc+/=", { aud, exp: 1_526_064_516 })).toBe(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL3Muc2VydmljZS5zaWduYWxyLm5ldC9hcGkvaHVicy9oIiwiZXhwIjoxNTI2MDY0NTE2fQ.G2vRWDumE2MNxTv1RbuPs2hFVMkhBu4EWjIiVpj1FC8",
  );
});
