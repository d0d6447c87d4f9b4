import { request } from "node:https";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { entraApp, type EntraAppOptions } from "../../../shared/rotators/entra-app/entra-app.ts";
import type { Rotator } from "../../../shared/rotators/rotator.ts";
import {
  type GraphDouble,
  type GraphDoubleOptions,
  type GraphRole,
  startGraphDouble,
  type StoredSecret,
} from "../../doubles/graph/server.ts";

/** A double of Microsoft Graph, and the rotator aimed at it. */
export interface EntraBench {
  readonly graph: GraphDouble;
  readonly account: string;
  rotator(role?: GraphRole): Rotator<EntraAppOptions>;
  optionsWith(changed?: object): EntraAppOptions;
  /** A stored secret as a credential; `isNamed`: with its id. */
  toCredential(secret: StoredSecret, isNamed?: boolean): ReturnType<typeof credentialOf>;
  /** Requests a token with the plain client of Node, and returns whether there was one. */
  logsIn(text: string): Promise<boolean>;
  openConnections(): number;
  /** The ids of the secrets that Graph has. */
  ids(): readonly string[];
}

const credentialOf = (account: string, { text, keyId }: StoredSecret, isNamed: boolean) => ({
  account,
  secret: new Secret(text),
  ...(isNamed && { secretId: keyId }),
});

export async function startEntraBench(options: GraphDoubleOptions = {}): Promise<EntraBench> {
  const graph = await startGraphDouble(options);
  const account = graph.application.appId;
  const rotator = (role?: GraphRole) =>
    entraApp(graph.credential(role), { ca: graph.ca, pause: 1 });
  return {
    graph,
    account,
    rotator,
    optionsWith: (changed = {}) =>
      rotator().options.parse({
        tenant: graph.tenant,
        graph: graph.graph,
        logIn: graph.logIn,
        ...changed,
      }),
    toCredential: (secret, isNamed = true) => credentialOf(account, secret, isNamed),
    logsIn: (text) => logsIn(graph, account, text),
    openConnections: () => graph.connections.reduce((sum, { open }) => sum + open, 0),
    ids: () => graph.application.secrets.map(({ keyId }) => keyId),
  };
}

function logsIn(graph: GraphDouble, client_id: string, client_secret: string): Promise<boolean> {
  const scope = `${graph.graph}/.default`;
  const form = { client_id, client_secret, grant_type: "client_credentials", scope };
  return new Promise((resolve, reject) => {
    const sent = request(
      `${graph.logIn}/${graph.tenant}/oauth2/v2.0/token`,
      {
        ...{ method: "POST", ca: graph.ca, agent: false },
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
      (response) => {
        json(response).then((body) => {
          resolve(z.object({ access_token: z.string() }).safeParse(body).success);
        }, reject);
      },
    );
    sent.on("error", reject);
    sent.end(new URLSearchParams(form).toString());
  });
}
