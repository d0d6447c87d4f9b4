import { connect } from "node:net";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { redis, type RedisOptions } from "../../../shared/rotators/redis/redis.ts";
import { type CutProxy, cutProxy } from "../../doubles/cut-proxy.ts";
import { holdProxy } from "../../doubles/hold-proxy.ts";
import { newSecret, type RedisSystem, startRedisTarget } from "./redis-target.ts";
import { awkwardNames, type Fixture, type Subject } from "./suite/rotator-fixture.ts";

/** Names of Redis users have no spaces. Its configuration file, unlike an ACL file, has no quotes either. */
const namesFor = {
  aclfile: awkwardNames.map((name) => name.replaceAll(" ", "_")),
  config: awkwardNames.map((name) => name.replaceAll(/[ "']/g, "_")),
};

interface Kind {
  readonly system: RedisSystem;
  readonly users: keyof typeof namesFor;
  /** Default: over TLS. Otherwise a proxy can delay commands. */
  readonly isPlain?: true;
}

async function startRedisFixture({ system, users, isPlain }: Kind): Promise<Fixture<RedisOptions>> {
  const target = await startRedisTarget(system, { users });
  const { plainPort, server } = target;
  const { host, port } = server;
  const holding = await holdProxy(() => connect(plainPort, "127.0.0.1"));
  const powerless = { account: "powerless", secret: newSecret() };
  await target.command("ACL", "SETUSER", "powerless", "on", `>${powerless.secret.reveal()}`);
  const proxies: CutProxy[] = [];
  const aim = (changed: object = {}) => ({ rotator: redis, options: target.optionsWith(changed) });
  const aimPlain = (at: number) => aim({ port: at, tls: { mode: "disable" } });
  const plain = async () => {
    const proxy = await cutProxy(plainPort);
    proxies.push(proxy);
    return { proxy, aimed: aimPlain(proxy.port) };
  };
  return {
    ...target,
    aimed: isPlain ? aimPlain(holding.port) : aim(),
    endpoint: { engine: "redis", host, port: isPlain ? holding.port : port },
    async stay(account, secret) {
      const client = await target.open(account, secret);
      return () => {
        client.destroy();
        return Promise.resolve();
      };
    },
    powerless,
    unacceptable: { account: "half_a_character", secret: new Secret("half-\ud800") },
    elsewhere: (at) => aim({ port: at }),
    async loseReply() {
      const { proxy, aimed } = await plain();
      proxy.cutAt("SETUSER", "carried-out");
      return aimed;
    },
    async block(account) {
      await target.command("ACL", "SETUSER", account, "off");
      return async () => {
        await target.command("ACL", "SETUSER", account, "on");
      };
    },
    async trust(account) {
      const hashes = await target.hashesOf(account);
      await target.command("ACL", "SETUSER", account, "nopass");
      return async () => {
        const before = hashes.map((hash) => `#${hash}`);
        await target.command("ACL", "SETUSER", account, "resetpass", ...before);
      };
    },
    overlap: {
      permit: () => Promise.resolve(),
      hold: (account, secrets) => target.account(account, ...secrets),
      pause() {
        holding.holdAt("SETUSER");
        return Promise.resolve(() => holding.release());
      },
      waiting: () => Promise.resolve(holding.waiting()),
      plain,
      statements: ["HELLO", "GETUSER", "SETUSER", "SAVE", "REWRITE"],
    },
    async stop() {
      await holding.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await target.stop();
    },
  };
}

export function redisSubject(kind: Kind): Subject<RedisOptions> {
  return {
    authorities: ["self", "admin"],
    refuses: true,
    seesSessions: true,
    stays: true,
    losesReplies: true,
    blocks: "unnamed",
    trusts: true,
    keepsAll: true,
    awkwardNames: namesFor[kind.users],
    start: () => startRedisFixture(kind),
  };
}
