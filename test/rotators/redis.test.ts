import { describe, expect, it } from "vitest";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { isAccountName, isPasswordName } from "../../shared/core/payload/names.ts";
import { redis } from "../../shared/rotators/redis/redis.ts";
import {
  toChangeError,
  toLoginVerdict,
  toLookError,
} from "../../shared/rotators/redis/redis-errors.ts";
import { listNodes, quoteWord } from "../../shared/rotators/redis/redis-options.ts";
import { planOnly, planOverlap, type User } from "../../shared/rotators/redis/redis-user.ts";

describe("the options of redis", () => {
  const azure = [
    "shop.redis.cache.windows.net",
    "SHOP.Redis.Cache.Windows.Net",
    "shop.redis.cache.windows.net.",
    "shop.privatelink.redis.cache.windows.net",
    "shop.westeurope.redisenterprise.cache.azure.net",
    "shop.westeurope.redis.azure.net",
    "shop.redis.cache.usgovcloudapi.net",
    "shop.redis.cache.chinacloudapi.cn",
  ];
  it.each(azure)("refuse %s and name what to do instead", (host) => {
    for (const options of [{ host }, { host: "cache.example.com", nodes: [{ host }] }]) {
      const { error } = redis.options.safeParse(options);
      const [issue] = error?.issues ?? [];
      expect(issue?.message).toContain("azure-key");
      expect(issue?.message).toContain("service: redis");
      expect(issue?.path.at(-1)).toBe("host");
    }
  });

  it.each(["redis.azure.example.com", "vm-redis.westeurope.cloudapp.azure.com", "10.0.0.4"])(
    "accept %s",
    (host) => {
      expect(redis.options.safeParse({ host }).success).toBe(true);
    },
  );

  it("list and publish every server", () => {
    const options = redis.options.parse({
      host: "One.example.com",
      nodes: [{ host: "two.example.com", port: 6380 }],
    });
    expect(listNodes(options).map(({ port }) => port)).toEqual([6379, 6380]);
    expect(redis.endpoint(options)).toEqual({
      engine: "redis",
      host: "One.example.com",
      port: 6379,
      members: ["one.example.com:6379", "two.example.com:6380"],
    });
  });

  it("write addresses of IPv6 in brackets", () => {
    const options = redis.options.parse({ host: "fd00::1", nodes: [{ host: "fd00::2" }] });
    expect(redis.endpoint(options)).toMatchObject({
      host: "fd00::1",
      members: ["[fd00::1]:6379", "[fd00::2]:6379"],
    });
  });

  it.each([
    ["app", "app"],
    ["o'brien", `"o'brien"`],
    [`a"b\\c`, `"a\\"b\\\\c"`],
  ])("write the name %s as redis-cli takes it", (name, quoted) => {
    expect(quoteWord(name)).toBe(quoted);
  });

  it.each(["", "with space", "two\nlines", "tab\t", "nul\0", "half\ud800"])(
    "have no account named %j",
    (account) => {
      expect(redis.findUnfitAccount?.(account)).toContain("must not");
    },
  );
});

describe("the rules for ACL SETUSER", () => {
  const user = (...hashes: string[]): User => ({ isOn: true, isOpen: false, hashes, rights: {} });

  it("add a password and take none away while one must stay", () => {
    const plan = planOverlap("new", "old");
    expect(plan(user("older", "old"))).toEqual(["!old", "#old", "#new"]);
    expect(plan(user("older"))).toEqual(["!older", "#older", "#new"]);
    expect(plan(user())).toEqual(["#new"]);
    expect(plan(user("old", "new"))).toEqual([]);
  });

  it("name every password that they remove, and nothing else", () => {
    expect(planOnly("new")(user("old", "older"))).toEqual(["#new", "!old", "!older"]);
    expect(planOnly("keep")(user("old", "keep"))).toEqual(["!old"]);
    expect(planOnly()(user("old", "older"))).toEqual(["!old", "!older"]);
    expect(planOnly("keep")(user("keep"))).toEqual([]);
  });
});

describe("a reply of the server", () => {
  const replies: readonly (readonly [string, new (message: string) => Error, string])[] = [
    ["ERR max number of clients reached", TargetUnavailableError, "maxclients"],
    ["DENIED Redis is running in protected mode", TargetUnavailableError, "protected mode"],
    ["LOADING Redis is loading the dataset in memory", TargetUnavailableError, "loading"],
    ["BUSY Redis is busy running a script", TargetUnavailableError, "SCRIPT KILL"],
    ["MASTERDOWN Link with MASTER is down", TargetUnavailableError, "replica"],
    ["NOAUTH Authentication required.", TargetUnavailableError, "reloaded"],
    ["NOPROTO unsupported protocol version", ConfigError, "Redis 6"],
    ["ERR unknown command 'HELLO', with args: '3' 'AUTH' 'app' 'pw-1'", ConfigError, "Redis 6"],
    ["ERR unknown subcommand 'DRYRUN'", ConfigError, "Redis 6"],
    ["NOPERM User app has no permissions", ChangeRefusedError, "lacks +acl|setuser"],
  ];
  it.each(replies)("%s", (reply, kind, advice) => {
    const lack = "`admin` lacks +acl|setuser";
    const errors = [
      toLookError({ reply }, "at h:1", lack),
      toChangeError({ reply }, "at h:1", lack),
      ...(reply.startsWith("NOPERM") ? [] : [toLoginVerdict({ reply }, "at h:1", undefined)]),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(kind);
      expect(String(error)).toContain(advice);
      expect(String(error)).toContain("at h:1");
      expect(String(error)).not.toContain("pw-1");
    }
  });

  it("that nobody knows is a refusal of the change, and no proof about a log-in", () => {
    const reply = "ERR something new 'pw-1'";
    expect(toChangeError({ reply }, "there", "")).toBeInstanceOf(ChangeRefusedError);
    expect(toLoginVerdict({ reply }, "there", undefined)).toBeInstanceOf(TargetUnavailableError);
    expect(String(toChangeError({ reply }, "there", ""))).not.toContain("pw-1");
  });

  it("that is missing leaves the outcome of a change unknown", () => {
    expect(toChangeError({}, "there", "")).toBeInstanceOf(OutcomeUnknownError);
    expect(toLookError({}, "there")).toBeInstanceOf(TargetUnavailableError);
  });
});

it("finds the credential in secrets with the names that Redis clients use", () => {
  expect([isAccountName("REDIS_USERNAME"), isPasswordName("redisPassword")]).toEqual([true, true]);
});
