import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connect } from "node:tls";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type CutProxy, cutProxy } from "../../conformance/faults/cut-proxy.ts";
import { listen } from "../../conformance/faults/listening.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import type { Applied, Change, Rotator } from "../../shared/rotators/rotator.ts";
import {
  type WebhookOptions,
  webhookOptions,
} from "../../shared/rotators/webhook/webhook-options.ts";
import { type Certificate, localCertificate } from "./certificate.ts";

/** The system of the reference server. */
export interface Accounts {
  has(account: string): boolean;
  set(account: string, secret: string): void;
  logsIn(account: string, secret: string): boolean;
  clear(account: string): void;
  isInUse(account: string): boolean;
}

const folder = resolve(import.meta.dirname, "../../examples/webhook-rotator");
const load = async (file: string): Promise<unknown> =>
  import(pathToFileURL(join(folder, file)).href);

const functionOf = <Made>() => z.custom<Made>((value) => typeof value === "function");
export const { makeAccounts } = z
  .object({ makeAccounts: functionOf<(file: string) => Accounts>() })
  .parse(await load("accounts.mjs"));

interface EndpointParts {
  readonly keys: readonly string[];
  readonly checkKeys?: readonly string[];
  readonly system: Accounts;
}
const { makeEndpoint } = z
  .object({ makeEndpoint: functionOf<(parts: EndpointParts) => RequestListener>() })
  .parse(await load("server.mjs"));

export const admin: Credential = {
  account: "keyturn",
  secret: new Secret("s1gning-key-of-the-reference-endpoint"),
};
export const checker: Credential = {
  account: "checker",
  secret: new Secret("k3y-that-may-only-verify-secrets"),
};

/** Sets a secret through an endpoint. */
export async function apply(
  rotator: Rotator<WebhookOptions>,
  change: Change<WebhookOptions>,
  signal: AbortSignal,
): Promise<Applied> {
  if (!rotator.apply) throw new Error("the rotator must have apply");
  return rotator.apply(change, signal);
}

/** The reference server of examples/webhook-rotator, behind a real TLS server on this machine. */
export interface WebhookBench {
  readonly accounts: Accounts;
  readonly options: WebhookOptions;
  /** Requests so far. */
  readonly requests: number;
  optionsAt(port: number): WebhookOptions;
  /** Marks one more client, or one less, as logged in. */
  stay(account: string, by: number): void;
  /** The stored accounts. */
  stored(): Promise<string>;
  openConnections(): number;
  /** The same endpoint behind a proxy that can cut the line. */
  line(): Promise<CutProxy>;
  stop(): Promise<void>;
}

export async function startWebhookBench(): Promise<WebhookBench> {
  const certificate = await localCertificate();
  const temporary = await mkdtemp(join(tmpdir(), "keyturn-webhook-"));
  const [caFile, file] = [join(temporary, "ca.pem"), join(temporary, "accounts.json")];
  await writeFile(caFile, certificate.cert);
  const sessions = new Map<string, number>();
  const accounts: Accounts = {
    ...makeAccounts(file),
    isInUse: (account) => (sessions.get(account) ?? 0) > 0,
  };
  const endpoint = makeEndpoint({
    keys: [admin.secret.reveal()],
    checkKeys: [checker.secret.reveal()],
    system: accounts,
  });
  let requests = 0;
  const listening = await listen(
    createServer({ ...certificate }, (request, response) => {
      requests += 1;
      endpoint(request, response);
    }),
  );
  const optionsAt = (port: number) => optionsFor(port, caFile);
  const proxies: CutProxy[] = [];
  return {
    accounts,
    options: optionsAt(listening.port),
    get requests() {
      return requests;
    },
    optionsAt,
    stay(account, by) {
      sessions.set(account, (sessions.get(account) ?? 0) + by);
    },
    stored: () => readFile(file, "utf8"),
    openConnections: () => listening.connections.open,
    async line() {
      const proxy = await makeCut(listening.port, certificate);
      proxies.push(proxy);
      return proxy;
    },
    async stop() {
      for (const proxy of proxies) await proxy.close();
      await listening.close();
      await rm(temporary, { recursive: true });
    },
  };
}

/** Options for an endpoint on this machine with everything that an endpoint can have. */
export function optionsFor(port: number, caFile: string): WebhookOptions {
  return webhookOptions.parse({
    url: `https://localhost:${port}/keyturn`,
    supports: ["retire", "hasSessions"],
    tls: { caFile },
  });
}

function makeCut(port: number, certificate: Certificate): Promise<CutProxy> {
  const dial = () => connect({ port, host: "localhost", ca: certificate.cert });
  return cutProxy(dial, undefined, certificate);
}
