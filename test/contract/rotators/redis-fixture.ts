import { connect } from "node:tls";
import { type CutProxy, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import { holdProxy } from "../../../conformance/faults/hold-proxy.ts";
import { awkwardNames, type Fixture, type Subject } from "../../../conformance/rotator-fixture.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { redis, type RedisOptions } from "../../../shared/rotators/redis/redis.ts";
import { isOwn } from "../../servers/own.ts";
import { newSecret, type RedisKind, useRedisTarget } from "./redis-target.ts";

/** Names of Redis users have no spaces. Its configuration file, unlike an ACL file, has no quotes either. */
const namesFor = {
  aclfile: awkwardNames.map((name) => name.replaceAll(" ", "_")),
  config: awkwardNames.map((name) => name.replaceAll(/[ "']/g, "_")),
};

export interface Kind {
  readonly system: "redis" | "valkey";
  readonly server: RedisKind;
  readonly users: keyof typeof namesFor;
}

async function startRedisFixture(
  { system, server: kind, users }: Kind,
  isHeld: boolean,
): Promise<Fixture<RedisOptions>> {
  const target = await useRedisTarget(kind, { users });
  const { host, port, ca } = target.server;
  // The rotator speaks plain text to a proxy, which speaks TLS to the server.
  const dial = () => connect({ host, port, ca });
  const holding = await holdProxy(dial);
  const powerless = { account: "powerless", secret: newSecret() };
  await target.user("powerless", `>${powerless.secret.reveal()}`);
  const proxies: CutProxy[] = [];
  const aim = (changed: object = {}) => ({ rotator: redis, options: target.optionsWith(changed) });
  const aimPlain = (at: number) => aim({ host: "127.0.0.1", port: at, tls: { mode: "disable" } });
  const plain = async () => {
    const proxy = await cutProxy(dial);
    proxies.push(proxy);
    return { proxy, aimed: aimPlain(proxy.port) };
  };
  return {
    ...target,
    aimed: isHeld ? aimPlain(holding.port) : aim(),
    endpoint: { engine: "redis", host, port },
    ...(isOwn(system) && { line: plain }),
    async stay(account, secret) {
      const client = await target.open(account, secret);
      return () => {
        client.destroy();
        return Promise.resolve();
      };
    },
    powerless,
    unacceptable: { account: "half_a_character", secret: new Secret("half-\ud800") },
    ...(!isOwn(system) && { distrusted: () => aim({ tls: {} }) }),
    async traits(account) {
      const rules = (await target.snapshot()) as readonly string[];
      const own = rules.find((line) => line.startsWith(`user ${account} `));
      return own?.replaceAll(/ #[0-9a-f]{64}/g, "");
    },
    elsewhere: (at) => aim({ host: "127.0.0.1", port: at }),
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

/** `isHeld`: through a proxy that can delay commands. */
export function redisSubject(kind: Kind, isHeld = false): Subject<RedisOptions> {
  return {
    authorities: ["self", "admin"],
    refuses: true,
    seesSessions: true,
    stays: true,
    losesReplies: true,
    hasLine: true,
    blocks: "unnamed",
    trusts: true,
    keepsAll: true,
    // Nobody knows where a server that the environment names keeps its users.
    awkwardNames: namesFor[isOwn(kind.system) ? "config" : kind.users],
    start: () => startRedisFixture(kind, isHeld),
  };
}
