import { type Document, MongoClient } from "mongodb";
import { testRotator } from "../../../conformance/rotator.suite.ts";
import { awkwardSecrets } from "../../../conformance/rotator-fixture.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb } from "../../../shared/rotators/mongodb/mongodb.ts";
import { admin, home, powerless, startMongodbBench } from "./mongodb-bench.ts";

for (const secure of [false, true]) {
  testRotator(`mongodb ${secure ? "over TLS" : "without TLS"}`, {
    authorities: ["self", "admin"],
    losesReplies: true,
    refuses: true,
    seesSessions: true,
    stays: true,
    blocks: "unnamed",
    // SASLprep, which SCRAM-SHA-256 demands of servers and clients, knows Unicode as of 2002.
    awkwardSecrets: awkwardSecrets.map((secret) => secret.replace("😀", "")),

    async start() {
      const bench = await startMongodbBench({ tls: secure });
      const { double } = bench;
      const { host, port, inspection } = double;
      const aim = (changed: object = {}) => ({
        rotator: mongodb,
        options: bench.optionsWith(changed),
      });
      const made = new Set<string>();

      /** Changes an account that is there, with the plain client. */
      async function update(updateUser: string, fields: Document): Promise<void> {
        const client = new MongoClient(double.url, {
          auth: { username: admin.account, password: admin.secret.reveal() },
          directConnection: true,
          ...(double.ca === undefined ? {} : { tls: true, ca: double.ca }),
        });
        await client.connect();
        await client.db(home).command({ updateUser, ...fields });
        await client.close();
      }
      const restrict = (user: string, clientSource: string[]) =>
        update(user, { authenticationRestrictions: [{ clientSource }] });

      return {
        aimed: aim(),
        endpoint: {
          engine: "mongodb",
          host,
          port,
          database: "test",
          more: { authSource: home, tls: String(secure) },
        },
        admin,
        powerless: { ...powerless },
        unacceptable: { account: "too_modern", secret: new Secret("first-😀") },
        account: async (name, secret) => {
          await (made.has(name) ? update(name, { pwd: secret }) : bench.addAccount(name, secret));
          made.add(name);
        },
        logsIn: (account, secret) => bench.logsIn(account, secret),
        stay: (account, secret) => bench.stay(account, secret),
        snapshot: async () => ({
          users: inspection.users(),
          changes: inspection.performed("updateUser"),
          admin: await inspection.accepts(admin.account, admin.secret.reveal()),
        }),
        logIns: () => Promise.resolve(inspection.logins.length),
        async block(account) {
          await restrict(account, ["10.0.0.0/8", "192.168.7.1"]);
          return () => restrict(account, ["10.0.0.0/8", "127.0.0.0/8"]);
        },
        openConnections: () => Promise.resolve(inspection.connections.open),
        ...(secure && { distrusted: () => aim({ tls: {} }) }),
        elsewhere: (at) => aim({ port: at }),
        loseReply: () => {
          double.faults.on("updateUser", { do: "lost-reply-after-effect" });
          return Promise.resolve(aim());
        },
        stop: () => bench.close(),
      };
    },
  });
}
