import { testRotator } from "../../../conformance/rotator.suite.ts";
import { awkwardSecrets } from "../../../conformance/rotator-fixture.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb } from "../../../shared/rotators/mongodb/mongodb.ts";
import { useMongodb } from "../../servers/mongodb.ts";
import { isOwn } from "../../servers/own.ts";
import { admin, home, openLine, openMongodbTarget, placeOf, powerless } from "./mongodb-target.ts";

testRotator("mongodb on a real server", {
  authorities: ["self", "admin"],
  losesReplies: true,
  refuses: true,
  seesSessions: true,
  stays: true,
  blocks: "unnamed",
  // SASLprep, which SCRAM-SHA-256 demands of servers and clients, knows Unicode as of 2002.
  awkwardSecrets: awkwardSecrets.map((secret) => secret.replace("😀", "")),

  async start() {
    const server = await useMongodb();
    const target = await openMongodbTarget(placeOf(server));
    const line = await openLine(server);
    const aim = (changed: object = {}) => ({
      rotator: mongodb,
      options: target.optionsWith(changed),
    });
    const restrict = (user: string, clientSource: string[]) =>
      target.run(home, { updateUser: user, authenticationRestrictions: [{ clientSource }] });

    return {
      aimed: aim(),
      endpoint: {
        engine: "mongodb",
        host: server.host,
        port: server.port,
        database: "test",
        more: { authSource: home, tls: "true" },
      },
      admin,
      powerless,
      unacceptable: { account: "too_modern", secret: new Secret("first-😀") },
      account: target.account,
      logsIn: target.logsIn,
      stay: (account, secret) => target.stay(account, secret),
      async traits(account) {
        const { users } = await target.run(home, { usersInfo: account });
        return users as unknown;
      },
      snapshot: target.snapshot,
      logIns: target.logIns,
      async block(account) {
        await restrict(account, ["10.0.0.0/8", "192.168.7.1"]);
        return async () => {
          await restrict(account, ["10.0.0.0/8", "127.0.0.0/8"]);
        };
      },
      openConnections: target.openConnections,
      line: () => Promise.resolve({ proxy: line.proxy, aimed: aim(line.options) }),
      ...(!isOwn("mongodb") && { distrusted: () => aim({ tls: {} }) }),
      elsewhere: (at) => aim({ host: "127.0.0.1", port: at }),
      loseReply() {
        line.cutAt("updateUser", "carried-out");
        return Promise.resolve(aim(line.options));
      },
      async stop() {
        await target.close();
        await line.close();
        await server.stop();
      },
    };
  },
});
