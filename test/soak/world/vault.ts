import { once } from "node:events";
import { createServer, type IncomingMessage, request as forward } from "node:http";
import { buffer } from "node:stream/consumers";
import { SecretClient } from "@azure/keyvault-secrets";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../../local/identity/endpoint.ts";
import { startKeyVaultEmulator } from "../../../local/key-vault/emulator.ts";
import { VAULT_RESOURCE } from "../../../local/key-vault/gate.ts";

/** The answer that hosts get instead of the vault's answer. */
export type DoorAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body: string }
  /** The vault carries out the request; its reply is lost. */
  | "lost-reply"
  /** The vault never receives the request. */
  | "hang-up";

/** Decides about one request. Undefined lets it pass. */
export type Trouble = (request: { readonly method: string }) => DoorAnswer | undefined;

/** The Key Vault emulator, and the proxy that the hosts use. Persons and consumers use the vault directly. */
export interface Vault {
  /** The address that the hosts are given. */
  readonly doorUrl: string;
  /** Environment of an app that has an identity. */
  readonly identity: Readonly<Record<string, string>>;
  /** The official client, without the proxy. */
  readonly secrets: SecretClient;
  trouble(decide: Trouble): void;
  restore(): void;
  close(): Promise<void>;
}

export async function startVault(): Promise<Vault> {
  const identity = await startIdentityEndpoint();
  const emulator = await startKeyVaultEmulator({
    acceptsToken: (token) => identity.accepts(token, VAULT_RESOURCE),
    throttleScale: Infinity,
  });
  const door = await openDoor(emulator.url);
  return {
    doorUrl: door.url,
    identity: identity.env,
    secrets: makeClient(emulator.url, identity),
    trouble: (decide) => {
      door.trouble(decide);
    },
    restore: () => {
      door.trouble(() => undefined);
    },
    async close() {
      await door.close();
      await Promise.all([emulator.close(), identity.close()]);
    },
  };
}

async function openDoor(upstream: string) {
  let decide: Trouble = () => undefined;
  const server = createServer((incoming, outgoing) => {
    const answer = decide({ method: incoming.method ?? "GET" });
    if (answer === "hang-up") {
      incoming.socket.destroy();
      return;
    }
    if (answer !== undefined && answer !== "lost-reply") {
      incoming.resume();
      outgoing.writeHead(answer.status, answer.headers).end(answer.body);
      return;
    }
    pass(upstream, incoming)
      .then(({ status, headers, body }) => {
        if (answer === "lost-reply") incoming.socket.destroy();
        else outgoing.writeHead(status, headers).end(body);
      })
      .catch(() => incoming.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    trouble(next: Trouble) {
      decide = next;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function pass(upstream: string, incoming: IncomingMessage) {
  const body = await buffer(incoming);
  const { method, headers } = incoming;
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    forward(new URL(incoming.url ?? "/", upstream), { method, headers })
      .once("response", resolve)
      .once("error", reject)
      .end(body);
  });
  return { status: reply.statusCode ?? 502, headers: reply.headers, body: await buffer(reply) };
}

function makeClient(vaultUrl: string, identity: IdentityEndpoint): SecretClient {
  const credential = {
    async getToken() {
      const address = `${identity.url}?api-version=2019-08-01&resource=${VAULT_RESOURCE}`;
      const answer = await fetch(address, { headers: { "x-identity-header": identity.header } });
      const got = (await answer.json()) as { access_token: string; expires_on: string };
      return { token: got.access_token, expiresOnTimestamp: Number(got.expires_on) * 1000 };
    },
  };
  return new SecretClient(vaultUrl, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
}
