import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { type HoldProxy, holdProxy } from "../../../conformance/faults/hold-proxy.ts";
import {
  AuthorityRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { redis } from "../../../shared/rotators/redis/redis.ts";
import { hashOf, newSecret, type StartedRedisTarget, startRedisTarget } from "./redis-target.ts";

const signal = () => AbortSignal.timeout(30_000);

const everywhere = [true, true, true, true];
const nowhere = [false, false, false, false];

/** A primary server, its replica, and servers of other kinds, with the same users. */
describe("the rotator redis with several servers", () => {
  let targets: StartedRedisTarget[];
  let proxies: HoldProxy[];
  let admin: Credential;
  let number = 0;

  beforeAll(async () => {
    const first = await startRedisTarget("redis");
    const replica = await startRedisTarget("redis", { replicaOf: first.server });
    const others = [
      await startRedisTarget("valkey", { users: "config" }),
      await startRedisTarget("newer redis"),
    ];
    targets = [first, replica, ...others];
    proxies = await Promise.all(
      targets.map(({ plainPort }) => holdProxy(() => connect(plainPort, "127.0.0.1"))),
    );
    ({ admin } = first);
    for (const target of targets) await target.account(admin.account, admin.secret.reveal());
  });
  afterAll(async () => {
    for (const proxy of proxies) await proxy.close();
    for (const target of targets.toReversed()) await target.stop();
  });

  const options = () => {
    const [first, ...nodes] = proxies.map(({ port }) => ({ host: "127.0.0.1", port }));
    return redis.options.parse({ ...first, nodes, tls: { mode: "disable" } });
  };
  const call = () => ({ options: options(), using: { as: "admin", credential: admin } as const });
  const nameOf = (index: number) => `127.0.0.1:${String(proxies[index]?.port)}`;
  const middle = () => {
    const [target, proxy] = [targets[1], proxies[1]];
    if (target === undefined || proxy === undefined) throw new Error("there is no second server");
    return { target, proxy };
  };

  async function newAccount(): Promise<Credential> {
    const account = { account: `shared_${++number}`, secret: newSecret() };
    for (const target of targets) await target.account(account.account, account.secret.reveal());
    return account;
  }
  const other = ({ account }: Credential) => ({ account, secret: newSecret() });
  const worksAt = ({ account, secret }: Credential) =>
    Promise.all(targets.map((target) => target.logsIn(account, secret.reveal())));

  it("adds, discards and retires at every server, a replica included", async () => {
    const keep = await newAccount();
    const next = other(keep);
    expect(await redis.apply({ ...call(), next, keep }, signal())).toMatchObject({ kept: true });
    expect([await worksAt(keep), await worksAt(next)]).toEqual([everywhere, everywhere]);
    expect(await redis.verify({ options: options(), credential: next }, signal())).toBe("accepted");
    await redis.discard?.({ ...call(), keep: next }, signal());
    expect([await worksAt(keep), await worksAt(next)]).toEqual([nowhere, everywhere]);
    await redis.retire?.({ ...call(), account: keep.account }, signal());
    expect(await worksAt(next)).toEqual(nowhere);
  });

  it("changes nothing when one server is down, and names it", async () => {
    const keep = await newAccount();
    const next = other(keep);
    await middle().target.server.crash();
    const errors = [
      await failure(redis.apply({ ...call(), next, keep }, signal())),
      await failure(redis.verify({ options: options(), credential: keep }, signal())),
    ];
    await middle().target.restart();
    await middle().target.account(keep.account, keep.secret.reveal());
    for (const error of errors) {
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain(nameOf(1));
    }
    expect(await worksAt(next)).toEqual(nowhere);
  });

  it("changes nothing when one server refuses the admin, and names it", async () => {
    const keep = await newAccount();
    const next = other(keep);
    await middle().target.command("ACL", "SETUSER", admin.account, "off");
    const error = await failure(redis.apply({ ...call(), next, keep }, signal()));
    const notes: string[] = [];
    const examine = { ...call(), account: keep.account, isProven: false };
    const note = (sentence: string) => notes.push(sentence);
    expect(await redis.examine?.({ ...examine, note }, signal())).toBe("rejected");
    await middle().target.command("ACL", "SETUSER", admin.account, "on");
    expect(error).toBeInstanceOf(AuthorityRefusedError);
    expect(error.message).toContain(nameOf(1));
    expect(notes.join()).toContain(nameOf(1));
    expect(await worksAt(next)).toEqual(nowhere);
  });

  it("says what each server has when one stops in the middle of a change, and completes it later", async () => {
    const keep = await newAccount();
    const next = other(keep);
    const { target, proxy } = middle();
    // The first command for the new password at this server.
    proxy.holdAt(`#${hashOf(next.secret.reveal())}`);
    const deadline = new AbortController();
    const change = failure(redis.apply({ ...call(), next, keep }, deadline.signal));
    await expect.poll(() => proxy.waiting().length, { timeout: 10_000 }).toBe(1);
    await target.server.crash();
    deadline.abort();
    const error = await change;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain(
      `${nameOf(0)} is changed; ${nameOf(1)} may be changed; ${nameOf(2)} is not changed; ${nameOf(3)} is not changed`,
    );
    await proxy.release();
    await target.restart();
    expect(await worksAt(keep)).toEqual(everywhere);
    expect(await worksAt(next)).toEqual([true, false, false, false]);

    const notes: string[] = [];
    const note = (sentence: string) => notes.push(sentence);
    const check = { options: options(), credential: next, note };
    expect(await redis.verify(check, signal())).toBe("rejected");
    expect(notes).toEqual([
      `The servers differ about the same secret: ${nameOf(0)} accepted it; ${nameOf(1)} rejected it; ${nameOf(2)} rejected it; ${nameOf(3)} rejected it.`,
    ]);
    await redis.apply({ ...call(), next, keep }, signal());
    expect(await redis.verify(check, signal())).toBe("accepted");
    expect(await worksAt(keep)).toEqual(everywhere);
  });

  it("sees a session at any server", async () => {
    const current = await newAccount();
    const look = () => redis.hasSessions?.({ ...call(), account: current.account }, signal());
    expect(await look()).toBe(false);
    const client = await middle().target.open(current.account, current.secret.reveal());
    expect(await look()).toBe(true);
    client.destroy();
    await expect.poll(look, { timeout: 10_000 }).toBe(false);
  });

  it("examines every server", async () => {
    const current = await newAccount();
    await middle().target.command("ACL", "SETUSER", current.account, "off");
    await targets[2]?.command("ACL", "DELUSER", current.account);
    const examine = { ...call(), account: current.account, isProven: false };
    expect(await redis.examine?.(examine, signal())).toEqual({
      obstacles: [
        `Account \`${current.account}\` is off on ${nameOf(1)}. Run: ACL SETUSER ${current.account} on.`,
        `Account \`${current.account}\` does not exist on ${nameOf(2)}. Create it there.`,
      ],
      right: { is: "proven" },
    });
  });
});
