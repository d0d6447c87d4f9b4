import { appIdentity } from "../../../conformance/identity.ts";
import { testRotator } from "../../../conformance/rotator.suite.ts";
import { graphErrors } from "../../doubles/graph/server.ts";
import { startEntraBench } from "./entra-app-bench.ts";

testRotator("entra-app", {
  mints: "beside",
  ...{ knowsRights: true, hasLine: true },
  stranger: "00000000-0000-4000-8000-000000000000",

  async start() {
    const bench = await startEntraBench({ hostile: true });
    const { graph, account } = bench;
    const options = bench.optionsWith();
    const rotator = bench.rotator();
    return {
      aimed: { rotator, options },
      endpoint: {
        engine: "entra",
        host: "localhost",
        port: Number(new URL(graph.logIn).port),
        more: { tenantId: graph.tenant },
      },
      using: appIdentity,
      reset() {
        for (const { keyId } of graph.application.secrets) graph.remove(keyId);
        return Promise.resolve([bench.toCredential(graph.put())]);
      },
      works: ({ secret }) => Promise.resolve(graph.accepts(secret.reveal())),
      snapshot: () => [account, ...bench.ids()],
      creations: () => graph.requests.filter(({ path }) => path.endsWith("/addPassword")).length,
      loseReply: () => {
        graph.faults.on("add", { do: "lost-reply-after-effect" });
      },
      count: () => bench.ids().length,
      refuse: () => {
        graph.faults.on("add", { do: "refuse", with: graphErrors.full });
      },
      powerless: { rotator: bench.rotator("reader"), options },
      elsewhere: (port) => {
        const origin = `https://localhost:${String(port)}`;
        return { rotator, options: bench.optionsWith({ graph: origin, logIn: origin }) };
      },
      openConnections: () => bench.openConnections(),
      stop: () => graph.close(),
    };
  },
});
