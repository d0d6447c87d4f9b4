import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeWebhook } from "../../shared/rotators/webhook/webhook.ts";
import { localCertificate } from "../doubles/certificate.ts";
import { admin, apply, makeAccounts, optionsFor } from "../doubles/webhook-endpoint.ts";

const server = resolve(import.meta.dirname, "../../examples/webhook-rotator/server.mjs");
const rotator = makeWebhook();

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-webhook-server-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { key, cert } = await localCertificate();
  const files = { key: join(folder, "key.pem"), cert: join(folder, "cert.pem") };
  await Promise.all([writeFile(files.key, key), writeFile(files.cert, cert)]);
  return { ...files, accounts: join(folder, "accounts.json") };
}

async function findFreePort(): Promise<number> {
  const closed = await listen(createServer());
  await closed.close();
  return closed.port;
}

test("the reference server, started as its page says, sets a secret that survives its restart", async () => {
  const files = await makeFolder();
  makeAccounts(files.accounts).set("scanner", "the-secret-before");
  expect((await stat(files.accounts)).mode & 0o777).toBe(0o600);
  const port = await findFreePort();
  const options = optionsFor(port, files.cert);
  const start = () => {
    const child = spawn(process.execPath, [server], {
      stdio: "inherit",
      env: {
        ...{ KEYS: `${admin.secret.reveal()},the-second-key-while-it-is-replaced` },
        ...{ TLS_KEY: files.key, TLS_CERT: files.cert },
        ...{ ACCOUNTS: files.accounts, PORT: String(port) },
      },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  const logsIn = (password: string) => {
    const credential = { account: "scanner", secret: new Secret(password) };
    const signal = AbortSignal.timeout(10_000);
    return rotator.verify({ options, credential, admin }, signal).catch(() => "not reached");
  };
  const patience = { timeout: 30_000 };

  const first = start();
  await expect.poll(() => logsIn("the-secret-before"), patience).toBe("accepted");
  const next = { account: "scanner", secret: new Secret("the-secret-after") };
  const using = { as: "admin", credential: admin } as const;
  await apply(rotator, { options, next, using }, AbortSignal.timeout(10_000));
  first.kill("SIGKILL");
  await once(first, "exit");
  start();
  await expect.poll(() => logsIn("the-secret-after"), patience).toBe("accepted");
  expect(await logsIn("the-secret-before")).toBe("rejected");
});

test("the reference server does not start without a key", async () => {
  const files = await makeFolder();
  const env = { TLS_KEY: files.key, TLS_CERT: files.cert, KEYS: "too-short" };
  const child = spawn(process.execPath, [server], { stdio: "ignore", env });
  expect(await once(child, "exit")).not.toEqual([0, null]);
});
