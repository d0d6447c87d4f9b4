import { testRotator } from "../../../conformance/rotator.suite.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { makeWebhook } from "../../../shared/rotators/webhook/webhook.ts";
import { admin, checker, startWebhookBench } from "../../doubles/webhook-endpoint.ts";

const made = makeWebhook();

/** The engine passes the admin with every log-in of an account. */
const rotator: typeof made = {
  ...made,
  verify: (check, signal) => made.verify({ ...check, admin }, signal),
};

testRotator("webhook, on the reference server", {
  authorities: ["admin"],
  right: "likely",
  refuses: true,
  losesReplies: true,
  seesSessions: true,

  async start() {
    const bench = await startWebhookBench();
    const { accounts, options } = bench;
    return {
      aimed: { rotator, options },
      endpoint: { engine: "webhook", host: "localhost", port: Number(new URL(options.url).port) },
      admin,
      powerless: checker,
      unacceptable: { account: "account_short", secret: new Secret("short") },
      account: (name, secret) => {
        accounts.set(name, secret);
        return Promise.resolve();
      },
      logsIn: (account, secret) => Promise.resolve(accounts.logsIn(account, secret)),
      stay: (account) => {
        bench.stay(account, 1);
        return Promise.resolve(() => {
          bench.stay(account, -1);
          return Promise.resolve();
        });
      },
      snapshot: () => bench.stored(),
      openConnections: () => Promise.resolve(bench.openConnections()),
      distrusted: () => ({
        rotator,
        options: rotator.options.parse({ ...options, tls: {} }),
      }),
      elsewhere: (port) => ({ rotator, options: bench.optionsAt(port) }),
      async loseReply() {
        const proxy = await bench.line();
        proxy.cutAt(`"operation":"apply"`, "carried-out");
        return { rotator, options: bench.optionsAt(proxy.port) };
      },
      logIns: () => Promise.resolve(bench.requests),
      stop: () => bench.stop(),
    };
  },
});
