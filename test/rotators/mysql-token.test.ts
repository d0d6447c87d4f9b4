import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../local/certificate.ts";
import { AuthorityRefusedError, ConfigError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { mysql } from "../../shared/rotators/mysql/mysql.ts";
import type { AzureIdentity } from "../../shared/rotators/rotator.ts";
import { startClearPasswordServer } from "../doubles/mysql-clear-password.ts";

const patience = () => AbortSignal.timeout(20_000);
const token = "eyJ0eXAiOiJKV1QifQ.token-of-the-app";
const scopes: string[] = [];
const using: AzureIdentity = {
  as: "identity",
  getToken: (scope) => {
    scopes.push(scope);
    return Promise.resolve(new Secret(token));
  },
};

describe("a MySQL server that requests the password as it is", () => {
  let server: Awaited<ReturnType<typeof startClearPasswordServer>>;
  let folder: string;

  beforeAll(async () => {
    const certificate = await makeCertificate();
    server = await startClearPasswordServer(certificate);
    folder = await mkdtemp(join(tmpdir(), "keyturn-mysql-"));
    await writeFile(join(folder, "ca.pem"), certificate.ca);
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const optionsWith = (changed: object = {}) =>
    mysql.options.parse({
      host: "127.0.0.1",
      port: server.port,
      identityAccount: "keyturn",
      tls: { caFile: join(folder, "ca.pem") },
      ...changed,
    });

  it("receives the token of the app's identity, over TLS", async () => {
    const next = { account: "orders", secret: new Secret("next-password") };
    const change = mysql.apply({ options: optionsWith(), next, using }, patience());
    await expect(change).rejects.toThrow(AuthorityRefusedError);
    expect(scopes).toEqual(["https://ossrdbms-aad.database.windows.net/.default"]);
    expect(server.received).toEqual([{ account: "keyturn", encrypted: true, text: `${token}\0` }]);
  });

  it("never receives the password of an account", async () => {
    const before = server.received.length;
    const credential = { account: "orders", secret: new Secret("a-password") };
    for (const tls of [optionsWith().tls, { mode: "disable" }]) {
      const log = mysql.verify({ options: optionsWith({ tls }), credential }, patience());
      await expect(log).rejects.toThrow(ConfigError);
    }
    expect(server.received.slice(before)).toEqual([]);
  });

  it.each([
    ["without TLS", { tls: { mode: "disable" } }],
    // Leads to this machine too, but is not a name of it.
    ["at a host outside Azure", { host: "0.0.0.0" }],
  ])("never receives a token %s", async (_, changed) => {
    const [before, requested] = [server.received.length, scopes.length];
    const options = optionsWith(changed);
    const next = { account: "orders", secret: new Secret("next-password") };
    await expect(mysql.apply({ options, next, using }, patience())).rejects.toThrow(ConfigError);
    expect(server.received.length).toBe(before);
    expect(scopes.length).toBe(requested);
  });
});
