import { randomBytes } from "node:crypto";
import { testRotator } from "../../../conformance/rotator.suite.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { startSasBench } from "./azure-sas-key-bench.ts";

const account = "secondary";
const toKey = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

testRotator("azure-sas-key", {
  authorities: ["identity"],
  onlyAccount: account,
  ...{ refusesNames: true, isManaged: true, refuses: true, losesReplies: true },
  makeSecret: () => toKey(randomBytes(32)),
  // Other secrets are not keys. These have every character that URLs and JSON may escape.
  awkwardSecrets: [251, 255, 0].map((byte) => toKey(new Uint8Array(32).fill(byte))),

  async start() {
    const bench = await startSasBench();
    const { arm, keys, plane, options } = bench;
    const aimed = { rotator: bench.rotator(), options };
    return {
      aimed,
      endpoint: {
        ...{ engine: "azure-service-bus", host: "localhost", port: plane.port },
        more: { namespace: "orders", policy: "app" },
      },
      unacceptable: { account, secret: new Secret("not-a-key-of-32-bytes") },
      account(_name, secret) {
        keys.regenerate("secondaryKey", secret);
        return Promise.resolve();
      },
      logsIn: (name, secret) => Promise.resolve(bench.valueOf(name).reveal() === secret),
      snapshot: () => Promise.resolve(Array.from(keys.now, ([name, { value }]) => [name, value])),
      logIns: () => Promise.resolve(plane.requests.length),
      openConnections: () =>
        Promise.resolve(arm.inspection.connections.open + plane.connections.open),
      elsewhere: (port) => ({
        ...aimed,
        options: bench.optionsWith({ port, resourceManager: `https://localhost:${port}` }),
      }),
      loseReply() {
        arm.faults.on("regenerate", { do: "lost-reply-after-effect" });
        return Promise.resolve(aimed);
      },
      stop: () => bench.close(),
    };
  },
});
