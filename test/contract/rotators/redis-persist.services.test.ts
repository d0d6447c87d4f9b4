import { chmod, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { holdProxy } from "../../../conformance/faults/hold-proxy.ts";
import { ChangeRefusedError, OutcomeUnknownError } from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { redis } from "../../../shared/rotators/redis/redis.ts";
import {
  hashOf,
  newSecret,
  redisKinds,
  type StartedRedisTarget,
  startRedisTarget,
} from "./redis-target.ts";

const signal = () => AbortSignal.timeout(30_000);

let target: StartedRedisTarget;
afterEach(async () => {
  await target.stop();
});

const call = (changed: object = {}) => ({
  options: target.optionsWith(changed),
  using: { as: "admin", credential: target.admin } as const,
});

async function begin(account = "app") {
  const [keep, next] = [newSecret(), newSecret()].map((secret) => ({ account, secret }));
  if (keep === undefined || next === undefined) throw new Error("two secrets are needed");
  await target.account(account, keep.secret.reveal());
  return { keep, next };
}

const works = ({ account, secret }: Credential) => target.logsIn(account, secret.reveal());

const kinds = redisKinds.flatMap((kind) =>
  (["aclfile", "config"] as const).map((users) => [kind, users] as const),
);

describe.each(kinds)("a restart of %s with users in its %s", (kind, users) => {
  it("takes no step of a rotation back", async () => {
    target = await startRedisTarget(kind, { users });
    const { keep, next } = await begin();
    await redis.apply({ ...call(), next, keep }, signal());
    await target.restart();
    expect([await works(keep), await works(next)]).toEqual([true, true]);
    await redis.discard?.({ ...call(), keep: next }, signal());
    await target.restart();
    expect([await works(keep), await works(next)]).toEqual([false, true]);
    await redis.retire?.({ ...call(), account: next.account }, signal());
    await target.restart();
    expect(await works(next)).toBe(false);
    expect(await redis.verify({ ...call(), credential: next }, signal())).toBe("rejected");
  });

  it("takes nothing of a rotation of `default` back, whatever requirepass says", async () => {
    target = await startRedisTarget(kind, { users });
    const { keep, next } = await begin("default");
    await target.command("CONFIG", "SET", "requirepass", keep.secret.reveal());
    expect(await redis.verify({ ...call(), credential: keep }, signal())).toBe("accepted");
    const self = { ...call(), using: { as: "self", credential: keep } as const };
    await target.command("ACL", "SETUSER", "default", "+@all", "~*");
    expect(await redis.apply({ ...self, next, keep }, signal())).toMatchObject({ kept: true });
    await target.restart();
    expect([await works(keep), await works(next)]).toEqual([true, true]);
    await redis.discard?.({ ...call(), keep: next }, signal());
    await target.restart();
    expect([await works(keep), await works(next)]).toEqual([false, true]);
  });
});

describe("a server that cannot save its users", () => {
  it("is refused before the change if it keeps them nowhere, unless something else restores them", async () => {
    target = await startRedisTarget("redis", { users: "nowhere" });
    const { keep, next } = await begin();
    const before = await target.snapshot();
    const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("options.persist");
    expect(await target.snapshot()).toEqual(before);

    const root = { as: "admin", credential: target.server.admin } as const;
    const examine = { ...call(), using: root, account: keep.account, isProven: true };
    expect(await redis.examine?.(examine, signal())).toMatchObject({ right: { is: "missing" } });

    const ignoring = call({ persist: "none" });
    await redis.apply({ ...ignoring, next, keep }, signal());
    expect([await works(keep), await works(next)]).toEqual([true, true]);
  });

  it("is refused before the change if it cannot write its file", async () => {
    target = await startRedisTarget("redis");
    const { keep, next } = await begin();
    const before = await target.snapshot();
    await chmod(target.server.folder, 0o500);
    const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
    await chmod(target.server.folder, 0o700);
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("cannot write");
    expect(await target.snapshot()).toEqual(before);
  });

  it("leaves the outcome unknown if it cannot write its file after the change", async () => {
    target = await startRedisTarget("redis");
    const { keep, next } = await begin();
    const proxy = await holdProxy(() => connect(target.plainPort, "127.0.0.1"));
    proxy.holdAt(`#${hashOf(next.secret.reveal())}`);
    const through = call({ port: proxy.port, tls: { mode: "disable" } });
    const change = failure(redis.apply({ ...through, next, keep }, signal()));
    await expect.poll(() => proxy.waiting().length, { timeout: 10_000 }).toBe(1);
    await chmod(target.server.folder, 0o500);
    await proxy.release();
    const error = await change;
    await chmod(target.server.folder, 0o700);
    await proxy.close();
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain("a restart would undo it");
    expect([await works(keep), await works(next)]).toEqual([true, true]);

    await redis.apply({ ...call(), next, keep }, signal());
    await target.restart();
    expect([await works(keep), await works(next)]).toEqual([true, true]);
  });

  it.each([
    ["the name of the account", "o'brien", "other", "~other:*"],
    ["the name of another user", "app", 'the"other', "~other:*"],
    ["a pattern of another user", "app", "other", "~it's:*"],
  ])("is refused before it writes a quote in %s", async (_, account, other, pattern) => {
    target = await startRedisTarget("valkey", { users: "config" });
    const { keep, next } = await begin(account);
    await target.user(other, pattern);
    const file = join(target.server.folder, "server.conf");
    const before = await readFile(file, "utf8");
    const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("a quote would prevent its next start");
    expect(await readFile(file, "utf8")).toBe(before);

    const root = { as: "admin", credential: target.server.admin } as const;
    const examine = { ...call(), using: root, account, isProven: true };
    expect(await redis.examine?.(examine, signal())).toMatchObject({
      right: { is: "missing", why: expect.stringContaining("quote") as string },
    });
    await target.restart();
  });

  it("sees a quote in its own name even without the right to list users", async () => {
    target = await startRedisTarget("redis", { users: "config" });
    const { keep, next } = await begin("o'brien");
    await target.command("ACL", "SETUSER", target.admin.account, "-acl|list");
    const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("quote");
  });

  it.each(["acl|save", "config|rewrite"])("names the missing right +%s", async (right) => {
    target = await startRedisTarget("redis", { users: "config" });
    const { keep, next } = await begin();
    await target.command("ACL", "SETUSER", target.admin.account, `-${right}`);
    const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain(`ACL SETUSER rotation_admin +${right}`);
    expect(await works(next)).toBe(false);
  });
});
