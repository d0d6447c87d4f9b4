/** The contract of rotators, tried on `skeleton`. A report at the end lists its clauses. */
import { Secret } from "keyturn/rotator";
import { cutProxy, printReport, type Subject, testRotator } from "keyturn/rotator/conformance";
import rotator, { type SkeletonOptions } from "./skeleton.ts";
import { startSkeletonServer } from "./skeleton-server.ts";

const admin = { account: "admin", secret: new Secret("secret-of-admin") };
const powerless = { account: "powerless", secret: new Secret("secret-of-powerless") };

const subject: Subject<SkeletonOptions> = {
  authorities: ["self", "admin"],
  lacks: ["examine"],
  refuses: true,
  losesReplies: true,
  hasLine: true,

  async start() {
    const server = await startSkeletonServer();
    server.admins.add(admin.account);
    for (const { account, secret } of [admin, powerless]) {
      server.secrets.set(account, secret.reveal());
    }
    const proxy = await cutProxy(server.port);
    const at = (port: number) => ({
      rotator,
      options: rotator.options.parse({ host: "127.0.0.1", port, tls: { mode: "disable" } }),
    });
    return {
      aimed: at(server.port),
      endpoint: { engine: "skeleton", host: "127.0.0.1", port: server.port },
      admin,
      powerless,
      unacceptable: { account: "app", secret: new Secret("forbidden") },
      elsewhere: at,
      // Everything below works without the rotator: it is what the suite judges by.
      account: (name, secret) => Promise.resolve(void server.secrets.set(name, secret)),
      logsIn: (account, secret) => Promise.resolve(server.logsIn(account, secret)),
      traits: (account) => Promise.resolve({ isAdmin: server.admins.has(account) }),
      snapshot: () => Promise.resolve([...server.secrets]),
      openConnections: () => Promise.resolve(server.openConnections()),
      logIns: () => Promise.resolve(server.logIns()),
      loseReply() {
        proxy.cutAt('"set"', "carried-out");
        return Promise.resolve(at(proxy.port));
      },
      async stop() {
        await proxy.close();
        await server.stop();
      },
    };
  },
};

testRotator("skeleton", subject, { onReport: printReport });
