import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { startRedis } from "../servers/redis.ts";
import type { RedisOptions } from "../servers/redis-family.ts";
import { talkToRedis } from "../servers/redis-greeting.ts";
import type { StartedServer } from "../servers/server.ts";
import { startValkey } from "../servers/valkey.ts";

/** For the first run on a machine, which downloads. */
const downloadTimeoutMs = 300_000;

const app = { account: "app", secret: new Secret("app-secret") };
const setUser = ["ACL", "SETUSER", "app", "on", `>${app.secret.reveal()}`, "~*", "+@all"];

async function started(
  start: (options: RedisOptions) => Promise<StartedServer>,
  options: RedisOptions,
): Promise<StartedServer> {
  const server = await start(options);
  onTestFinished(() => server.stop());
  return server;
}

describe.each([
  ["Redis", startRedis],
  ["newer Redis", (options: RedisOptions) => startRedis({ ...options, release: "newer" })],
  ["Valkey", startValkey],
])("%s", (_, start) => {
  test.each([
    ["aclfile", ["ACL", "SAVE"]],
    ["config", ["CONFIG", "REWRITE"]],
  ] as const)(
    "An ACL user in the %s survives a restart once it is saved",
    async (users, save) => {
      const server = await started(start, { users });
      await talkToRedis(server, server.admin, setUser);
      await server.restart();
      await expect(talkToRedis(server, app, ["PING"])).rejects.toThrow("WRONGPASS");
      await talkToRedis(server, server.admin, setUser, save);
      await server.restart();
      expect(await talkToRedis(server, app, ["PING"])).toContain("+PONG");
    },
    downloadTimeoutMs,
  );

  test(
    "A server without files refuses to save an ACL user, and a restart keeps the admin only",
    async () => {
      const server = await started(start, { users: "nowhere" });
      await talkToRedis(server, server.admin, setUser);
      for (const save of [
        ["ACL", "SAVE"],
        ["CONFIG", "REWRITE"],
      ])
        await expect(talkToRedis(server, server.admin, save)).rejects.toThrow("ERR");
      await server.restart();
      await expect(talkToRedis(server, app, ["PING"])).rejects.toThrow("WRONGPASS");
      expect(await talkToRedis(server, server.admin, ["PING"])).toContain("+PONG");
    },
    downloadTimeoutMs,
  );

  test(
    "A replica follows its primary",
    async () => {
      const primary = await started(start, {});
      const replica = await started(start, { replicaOf: primary });
      await talkToRedis(primary, primary.admin, ["SET", "key", "copied"]);
      while (!(await talkToRedis(replica, replica.admin, ["GET", "key"])).includes("copied"))
        await wait(20);
    },
    downloadTimeoutMs,
  );
});
