import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { holdProxy } from "../../../conformance/faults/hold-proxy.ts";
import { ChangeRefusedError, TargetUnavailableError } from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { redis, type RedisOptions } from "../../../shared/rotators/redis/redis.ts";
import {
  hashOf,
  newSecret,
  redisKinds,
  type StartedRedisTarget,
  startRedisTarget,
} from "./redis-target.ts";

const signal = () => AbortSignal.timeout(30_000);

describe.each(redisKinds)("the rotator redis at a real %s", (kind) => {
  let target: StartedRedisTarget;
  let number = 0;
  beforeAll(async () => {
    target = await startRedisTarget(kind);
  });
  afterAll(async () => {
    await target.stop();
  });

  const by = (credential: Credential) => ({ as: "admin", credential }) as const;
  const call = (changed: object = {}) => ({
    options: target.optionsWith(changed),
    using: by(target.admin),
  });
  async function newAccount() {
    const account = `user_${++number}`;
    const keep = { account, secret: newSecret() };
    await target.account(account, keep.secret.reveal());
    return { keep, next: { account, secret: newSecret() } };
  }

  it("has the rights that the page says, and no others", async () => {
    const page = await readFile("docs/rotators/redis.md", "utf8");
    const commands = [...page.matchAll(/```text\n([^`]*)```/g)].flatMap(([, block = ""]) =>
      block.split("\n").filter((line) => line.startsWith("ACL SETUSER keyturn_admin")),
    );
    expect(commands).toHaveLength(2);
    for (const line of commands) await target.command(...line.split(" "));
    const admin = { account: "keyturn_admin", secret: newSecret() };
    await target.command("ACL", "SETUSER", "keyturn_admin", `>${admin.secret.reveal()}`);
    const { keep, next } = await newAccount();
    const documented = { ...call(), using: by(admin) };
    const look = { ...documented, account: keep.account };
    expect(await redis.examine?.({ ...look, isProven: false }, signal())).toEqual({
      obstacles: [],
      right: { is: "proven" },
    });
    await redis.apply({ ...documented, next, keep }, signal());
    await redis.discard?.({ ...documented, keep: next }, signal());
    expect(await redis.hasSessions?.(look, signal())).toBe(false);
    await redis.retire?.(look, signal());
    expect(await target.logsIn(next.account, next.secret.reveal())).toBe(false);
    // No refused command in the server's list.
    const log = JSON.stringify(await target.command("ACL", "LOG"));
    expect(log).not.toContain("keyturn_admin");
  });

  it("never sends a clear password in a change, and the server shows none of a log-in", async () => {
    const { keep, next } = await newAccount();
    const seen: string[] = [];
    const { host, port, ca, admin } = target.server;
    const monitor = createClient({
      username: admin.account,
      password: admin.secret.reveal(),
      name: "plain-client",
      disableClientInfo: true,
      socket: { host, port, tls: true, ca, reconnectStrategy: false },
    });
    await monitor.connect();
    await monitor.monitor((line) => seen.push(line));
    await target.command("CONFIG", "SET", "slowlog-log-slower-than", "0");
    await redis.apply({ ...call(), next, keep }, signal());
    expect(await redis.verify({ ...call(), credential: next }, signal())).toBe("accepted");
    await target.command("PING");
    await expect.poll(() => seen.join("\n"), { timeout: 10_000 }).toContain("PING");
    monitor.destroy();
    const slow = JSON.stringify(await target.command("SLOWLOG", "GET", "100"));
    await target.command("CONFIG", "SET", "slowlog-log-slower-than", "10000");
    const everything = [
      ...seen,
      slow,
      JSON.stringify(await target.command("ACL", "LOG")),
      await readFile(target.server.logFile, "utf8"),
    ].join("\n");
    expect(slow).toContain("SETUSER");
    for (const { secret } of [keep, next, target.admin]) {
      expect(everything).not.toContain(secret.reveal());
    }
  });

  it("changes nothing of a user but its passwords, and ends no session", async () => {
    const { keep, next } = await newAccount();
    const rules = async () => {
      const [line = ""] = ((await target.snapshot()) as string[]).filter((one) =>
        one.startsWith(`user ${keep.account} `),
      );
      return line.replaceAll(/ #[0-9a-f]{64}/g, "");
    };
    const before = await rules();
    const client = await target.open(keep.account, keep.secret.reveal());
    await redis.apply({ ...call(), next, keep }, signal());
    await redis.discard?.({ ...call(), keep: next }, signal());
    expect(await rules()).toBe(before);
    await redis.retire?.({ ...call(), account: keep.account }, signal());
    expect(await rules()).toBe(before);
    expect(await client.get("app:any")).toBeNull();
    client.destroy();
  });

  it("calls the server what it is", async () => {
    const { next } = await newAccount();
    const nobody = { ...next, account: "nobody_there" };
    const error = await failure(redis.apply({ ...call(), next: nobody }, signal()));
    const name = kind === "valkey" ? "Valkey" : "Redis";
    expect(error.message).toContain(`${name} at 127.0.0.1:${String(target.server.port)}`);
  });

  /** Makes the call, and runs the command when the call has sent this text and the server has not received it. */
  async function between<Result>(
    text: string,
    make: (options: RedisOptions) => Promise<Result> | undefined,
    ...command: readonly string[]
  ): Promise<Result | undefined> {
    const proxy = await holdProxy(() => connect(target.plainPort, "127.0.0.1"));
    proxy.holdAt(text);
    const made = make(target.optionsWith({ port: proxy.port, tls: { mode: "disable" } }));
    const settled = Promise.allSettled([made]);
    await expect.poll(() => proxy.waiting().length, { timeout: 10_000 }).toBe(1);
    await target.command(...command);
    await proxy.release();
    await settled;
    await proxy.close();
    return made;
  }

  it("does not create a user again that somebody deletes in the middle of a change", async () => {
    const { keep, next } = await newAccount();
    const change = between(
      `#${hashOf(next.secret.reveal())}`,
      (options) => redis.apply({ ...call(), options, next, keep }, signal()),
      ...["ACL", "DELUSER", keep.account],
    );
    const error = await failure(change);
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("the account does not exist");
    expect(await target.command("ACL", "GETUSER", keep.account)).toBeNull();
  });

  it("discards nothing if somebody ends the published password in the middle of a discard", async () => {
    const { keep, next } = await newAccount();
    await redis.apply({ ...call(), next, keep }, signal());
    const discard = between(
      `!${hashOf(keep.secret.reveal())}`,
      (options) => redis.discard?.({ ...call(), options, keep: next }, signal()),
      ...["ACL", "SETUSER", keep.account, "resetpass", ">set-by-hand"],
    );
    await expect(discard).rejects.toThrow("the published secret is not among its passwords");
    expect(await target.hashesOf(keep.account)).toEqual([hashOf("set-by-hand")]);
  });

  it("makes no claim to have kept a password that somebody ends in the middle of a change", async () => {
    const { keep, next } = await newAccount();
    const change = between(
      `#${hashOf(next.secret.reveal())}`,
      (options) => redis.apply({ ...call(), options, next, keep }, signal()),
      ...["ACL", "SETUSER", keep.account, "resetpass", ">set-by-hand"],
    );
    expect(await change).not.toHaveProperty("kept");
    expect(await target.logsIn(keep.account, "set-by-hand")).toBe(true);
  });

  it.each(["with\u00a0space", "o'brien", "+@all"])(
    "changes an account named %j",
    async (account) => {
      const keep = { account, secret: newSecret() };
      await target.account(account, keep.secret.reveal());
      const next = { account, secret: newSecret() };
      expect(await redis.apply({ ...call(), next, keep }, signal())).toMatchObject({ kept: true });
      expect(await target.logsIn(account, next.secret.reveal())).toBe(true);
    },
  );

  it("says that the time is over when the server hangs during a log-in", async () => {
    const { keep } = await newAccount();
    process.kill(target.server.pid, "SIGSTOP");
    const deadline = AbortSignal.timeout(500);
    const error = await failure(redis.verify({ ...call(), credential: keep }, deadline));
    process.kill(target.server.pid, "SIGCONT");
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("timed out");
  });

  it("discards nothing if the published secret is not among the passwords", async () => {
    const { keep, next } = await newAccount();
    await expect(redis.discard?.({ ...call(), keep: next }, signal())).rejects.toThrow(
      ChangeRefusedError,
    );
    expect(await target.logsIn(keep.account, keep.secret.reveal())).toBe(true);
  });

  it("does not switch on a user that is off", async () => {
    const { keep, next } = await newAccount();
    await target.command("ACL", "SETUSER", keep.account, "off");
    await redis.apply({ ...call(), next, keep }, signal());
    expect(await redis.verify({ ...call(), credential: next }, signal())).toBe("rejected");
    expect(await target.hashesOf(keep.account)).toContain(hashOf(next.secret.reveal()));
  });

  it.each(["acl|getuser", "acl|setuser", "acl|save"])(
    "names the missing right +%s before and at a change",
    async (right) => {
      const { keep, next } = await newAccount();
      await target.command("ACL", "SETUSER", target.admin.account, `-${right}`);
      const examine = { ...call(), account: keep.account, isProven: true };
      const answer = await redis.examine?.(examine, signal());
      const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
      await target.command("ACL", "SETUSER", target.admin.account, `+${right}`);
      const advice = `Account \`${keep.account}\` cannot be changed: \`rotation_admin\` lacks +${right}`;
      if (answer === undefined || answer === "rejected" || answer.right.is !== "missing")
        throw new Error("the right should be missing");
      expect(answer.right.why).toContain(advice);
      expect(error).toBeInstanceOf(ChangeRefusedError);
      expect(error.message).toContain(advice);
      expect(await target.logsIn(next.account, next.secret.reveal())).toBe(false);
    },
  );

  it("is only likely to have the right if the server does not say", async () => {
    const { keep } = await newAccount();
    await target.command("ACL", "SETUSER", target.admin.account, "-acl|dryrun");
    const examine = { ...call(), account: keep.account, isProven: true };
    const answer = await redis.examine?.(examine, signal());
    await target.command("ACL", "SETUSER", target.admin.account, "+acl|dryrun");
    expect(answer).toEqual({ obstacles: [], right: { is: "likely" } });
  });

  it("warns when the two accounts of a pair have other rights", async () => {
    const [{ keep }, other] = [await newAccount(), await newAccount()];
    const twin = other.keep.account;
    const examine = { ...call(), account: keep.account, isProven: true, twin };
    expect(await redis.examine?.(examine, signal())).not.toHaveProperty("warnings");
    await target.command("ACL", "SETUSER", twin, "+set", "~more:*");
    expect(await redis.examine?.(examine, signal())).toMatchObject({
      warnings: [expect.stringMatching(`\`${keep.account}\`.*\`${twin}\`.*commands, keys`)],
    });
  });

  it("refuses to say who is logged in without the right to list clients", async () => {
    const { keep } = await newAccount();
    await target.command("ACL", "SETUSER", target.admin.account, "-client|list");
    const error = await failure(
      redis.hasSessions?.({ ...call(), account: keep.account }, signal()) ?? Promise.resolve(),
    );
    await target.command("ACL", "SETUSER", target.admin.account, "+client|list");
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain(
      "cannot find out who is logged in: `rotation_admin` lacks +client|list",
    );
  });

  it.each(["over TLS", "without TLS"])("says when all connections are in use, %s", async (how) => {
    const { keep } = await newAccount();
    const plain = { port: target.plainPort, tls: { mode: "disable" } };
    await target.command("CONFIG", "SET", "maxclients", "1");
    const check = { ...call(how === "over TLS" ? {} : plain), credential: keep };
    const error = await failure(redis.verify(check, signal()));
    await target.command("CONFIG", "SET", "maxclients", "1000");
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("maxclients");
  });

  it("refuses a certificate that no trusted authority has signed", async () => {
    const { keep } = await newAccount();
    const error = await failure(redis.verify({ ...call({ tls: {} }), credential: keep }, signal()));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("options.tls.caFile");
  });
});
