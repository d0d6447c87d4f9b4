import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import { localCertificate } from "../doubles/certificate.ts";

const credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const certificate = await localCertificate();

let folder: string;
let caFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-tls-"));
  caFile = join(folder, "ca.pem");
  await writeFile(caFile, certificate.cert);
});
afterAll(() => rm(folder, { recursive: true }));

const overTls = (more: TlsOptions) => () => {
  const { key, cert } = certificate;
  return createTlsServer({ key, cert, ca: cert, ...more });
};
const answering = (text: string) => () =>
  createServer((socket: Socket) => {
    socket.on("error", () => undefined).on("data", () => socket.end(text));
  });
const withClientCertificates = { requestCert: true, rejectUnauthorized: true };

const logIns = {
  mongodb: (at: object, signal: AbortSignal) =>
    mongodb.verify({ options: mongodb.options.parse(at), credential }, signal),
  "azure-sql": (at: object, signal: AbortSignal) =>
    azureSql.verify({ options: azureSql.options.parse(at), credential }, signal),
};

/** The error of a log-in to the server. */
async function logInTo(type: keyof typeof logIns, make: () => Server): Promise<unknown> {
  const server = await listen(make());
  try {
    const at = { host: "127.0.0.1", port: server.port, tls: { caFile } };
    return await logIns[type](at, AbortSignal.timeout(20_000)).catch((error: unknown) => error);
  } finally {
    await server.close();
  }
}

describe.each(["mongodb", "azure-sql"] as const)("a failed TLS handshake of %s", (type) => {
  it.each([
    ["requires a client certificate", "client certificate", overTls(withClientCertificates)],
    [
      "requires a client certificate in TLS 1.2",
      "client certificate",
      overTls({ ...withClientCertificates, maxVersion: "TLSv1.2" }),
    ],
    [
      "knows old versions only",
      "TLS 1.2 or later",
      overTls({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" }),
    ],
    [
      "speaks another protocol",
      "does not answer in TLS",
      answering("HTTP/1.1 400 Bad Request\r\n\r\n"),
    ],
    ["closes in the middle", "ECONNRESET", answering("")],
  ])("says why where the server %s", async (_, part, make) => {
    const error = await logInTo(type, make);
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(String(error)).toContain(part);
  });
});
