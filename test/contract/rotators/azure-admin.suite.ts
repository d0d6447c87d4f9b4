import { testRotator } from "../../../conformance/rotator.suite.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { AdminServiceName } from "../../../shared/rotators/azure-admin/azure-admin-services.ts";
import {
  administrator,
  type DataPlane,
  firstSecret,
  startAdminBench,
} from "./azure-admin-bench.ts";

/** Long enough for every service. */
const awkwardSecrets = [
  `Aa1'"\\'"\\\`-and-more-of-it`,
  "Aa1 100% $1 ${x} {0} %s %%",
  "Aa1'; DROP LOGIN bystander; --",
  "Aa1@:/?#[]&=+;,-and-more",
  " Aa1 leading and trailing ",
  "Aa1-ünï-€-用户-and-more-of-it",
  `Aa1${"x".repeat(125)}`,
];

/** The contract suite on one service. */
export function testAdmin(service: AdminServiceName, startPlane: () => Promise<DataPlane>): void {
  testRotator(`azure-admin, service ${service}`, {
    authorities: ["identity"],
    onlyAccount: administrator,
    refuses: true,
    losesReplies: true,
    awkwardSecrets,

    async start() {
      const plane = await startPlane();
      await plane.setPassword(administrator, firstSecret);
      const bench = await startAdminBench(service, plane, { hostile: true });
      const { arm } = bench;
      const rotator = bench.rotator();
      let last = firstSecret;
      return {
        aimed: { rotator, options: bench.optionsWith() },
        endpoint: plane.endpoint,
        unacceptable: { account: administrator, secret: new Secret("simple") },
        async account(name, secret) {
          await plane.setPassword(name, secret);
          last = secret;
        },
        logsIn: plane.logsIn,
        snapshot: async () => ({
          landed: arm.inspection.landed("orders"),
          stored: await plane.snapshot(last),
        }),
        logIns: plane.logIns,
        openConnections: bench.openConnections,
        elsewhere: (port) => ({
          rotator,
          options: bench.optionsWith({ port, resourceManager: `https://localhost:${port}` }),
        }),
        loseReply: () => {
          arm.faults.on("patch", { do: "lost-reply-after-effect" });
          return Promise.resolve({ rotator, options: bench.optionsWith() });
        },
        stop: bench.close,
      };
    },
  });
}
