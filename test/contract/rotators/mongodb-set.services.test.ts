import { randomBytes } from "node:crypto";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import {
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb } from "../../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { type ReplicaSet, startReplicaSet } from "../../servers/mongodb.ts";
import type { StartedServer } from "../../servers/server.ts";
import { admin, home, type MongodbTarget, openMongodbTarget } from "./mongodb-target.ts";

const byAdmin: Using = { as: "admin", credential: admin };
const patience = () => AbortSignal.timeout(30_000);
const settled = { timeout: 30_000, interval: 200 };

let set: ReplicaSet;
let target: MongodbTarget;
let undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  set = await startReplicaSet();
  target = await openMongodbTarget({
    url: `mongodb://${set.hosts.join(",")}/`,
    ca: set.ca,
    admin: set.admin,
    options: { hosts: set.hosts, replicaSet: set.name, tls: { caFile: set.caFile } },
    client: { replicaSet: set.name },
  });
});
afterAll(async () => {
  await target.close();
  await set.stop();
});
afterEach(async () => {
  for (const each of undo.toReversed()) await each();
  undo = [];
  // The next test needs a primary, and secondaries that are up to date.
  await expect.poll(() => isCurrent(), settled).toBe(true);
});

let number = 0;
const secret = () => new Secret(`Aa1-${randomBytes(24).toString("base64url")}`);

async function newAccount(): Promise<{ current: Credential; next: Credential }> {
  number += 1;
  const account = `account_${String(number)}`;
  const current = { account, secret: secret() };
  await target.account(account, current.secret.reveal());
  return { current, next: { account, secret: secret() } };
}

const apply = (next: Credential, options = target.optionsWith()) =>
  mongodb.apply({ options, next, using: byAdmin }, patience());
const verify = (credential: Credential, options = target.optionsWith()) =>
  mongodb.verify({ options, credential }, patience());
const isInUse = ({ account }: Credential) =>
  mongodb.hasSessions?.({ options: target.optionsWith(), account, using: byAdmin }, patience());
const at = (place: object) =>
  mongodb.options.parse({ ...place, authDatabase: home, tls: { caFile: set.caFile } });
const onlyAt = ({ host, port }: StartedServer) => at({ host, port });

async function secondaries(): Promise<readonly StartedServer[]> {
  const { port } = await set.primary();
  return set.members.filter((member) => member.port !== port);
}

/** Runs a command on this member, whatever its state. */
async function onMember({ port, ca }: StartedServer, command: object) {
  const { account, secret: password } = set.admin;
  const client = new MongoClient(`mongodb://127.0.0.1:${String(port)}/`, {
    tls: true,
    ca,
    auth: { username: account, password: password.reveal() },
    directConnection: true,
  });
  try {
    return await client.db("admin").command({ ...command });
  } finally {
    await client.close();
  }
}

interface Member {
  readonly stateStr: string;
  readonly optimeDate: Date;
}

async function isCurrent(): Promise<boolean> {
  const reply = await onMember(await set.primary(), { replSetGetStatus: 1 }).catch(() => undefined);
  const members = (reply?.["members"] ?? []) as Member[];
  const last = members.map(({ optimeDate }) => optimeDate.getTime());
  const states = members.map(({ stateStr }) => stateStr).toSorted();
  return states.join() === "PRIMARY,SECONDARY,SECONDARY" && new Set(last).size === 1;
}

/** The member answers, and applies no change until the test has ended. */
async function holdBack(member: StartedServer): Promise<() => Promise<void>> {
  await onMember(member, { fsync: 1, lock: true });
  let isHeld = true;
  const release = async () => {
    if (isHeld) await onMember(member, { fsyncUnlock: 1 });
    isHeld = false;
  };
  undo.push(release);
  return release;
}

/** The member answers nothing until the test has ended. */
function suspend({ pid }: StartedServer): void {
  process.kill(pid, "SIGSTOP");
  undo.push(async () => {
    await Promise.resolve();
    process.kill(pid, "SIGCONT");
  });
}

describe("a change on a replica set", () => {
  it("replaces the password", async () => {
    const { current, next } = await newAccount();
    await apply(next);
    expect(await verify(next)).toBe("accepted");
    expect(await verify(current)).toBe("rejected");
  });

  it("is made although the options do not name the set", async () => {
    const { next } = await newAccount();
    const options = at({ hosts: set.hosts });
    await apply(next, options);
    expect(await verify(next, options)).toBe("accepted");
  });

  it("is made while a member is suspended", async () => {
    const { next } = await newAccount();
    const [slow] = await secondaries();
    if (slow) suspend(slow);
    await apply(next);
    expect(await verify(next)).toBe("accepted");
  });

  it("proves nothing at a secondary, which still accepts the old password", async () => {
    const { current, next } = await newAccount();
    const [late] = await secondaries();
    if (!late) throw new Error("no secondary");
    await holdBack(late);
    await apply(next);
    for (const credential of [current, next]) {
      const error = await failure(verify(credential, onlyAt(late)));
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("is not the primary");
      expect(error.message).toContain("options.hosts");
    }
    expect(await verify(next)).toBe("accepted");
  });

  it("is in doubt until a majority has it, and so is a log-in with its password", async () => {
    const { current, next } = await newAccount();
    const release = await Promise.all((await secondaries()).map(holdBack));
    const error = await failure(apply(next));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain("a majority of the replica set has not confirmed it");
    const unproven = await failure(verify(next));
    expect(unproven).toBeInstanceOf(TargetUnavailableError);
    expect(unproven.message).toContain("an election may undo a change");
    for (const each of release) await each();
    await expect.poll(() => verify(next).catch(() => "later"), settled).toBe("accepted");
    expect(await verify(current)).toBe("rejected");
  });

  it("is in doubt when the primary steps down meanwhile, and one password stays valid", async () => {
    const { current, next } = await newAccount();
    const release = await Promise.all((await secondaries()).map(holdBack));
    const primary = await set.primary();
    const change = failure(apply(next));
    const isChanged = () => target.logsIn(next.account, next.secret.reveal());
    await expect.poll(isChanged, settled).toBe(true);
    await onMember(primary, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 0, force: true });
    expect(await change).toBeInstanceOf(OutcomeUnknownError);
    for (const each of release) await each();
    const outcomes = () =>
      Promise.all([current, next].map((each) => verify(each).catch(() => "later")));
    await expect
      .poll(async () => (await outcomes()).toSorted(), settled)
      .toEqual(["accepted", "rejected"]);
    await apply(next);
    expect(await verify(next)).toBe("accepted");
  });
});

describe("who is logged in to a replica set", () => {
  it("includes readers of every member", async () => {
    const { current } = await newAccount();
    expect(await isInUse(current)).toBe(false);
    for (const { port } of set.members) {
      const leave = await target.stay(current.account, current.secret.reveal(), port);
      expect(await isInUse(current)).toBe(true);
      await leave();
      await expect.poll(() => isInUse(current), settled).toBe(false);
    }
  });

  it("is unknown while a member does not answer", async () => {
    const { current } = await newAccount();
    const [slow] = await secondaries();
    if (!slow) throw new Error("no secondary");
    suspend(slow);
    const look = { options: target.optionsWith(), account: current.account, using: byAdmin };
    const error = await failure(
      Promise.resolve(mongodb.hasSessions?.({ ...look, connectWithin: 2000 }, patience())),
    );
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain(String(slow.port));
  });
});

describe("a replica set that cannot be used", () => {
  it("under another name is a mistake in the configuration", async () => {
    const { current, next } = await newAccount();
    const options = target.optionsWith({ replicaSet: "orders" });
    for (const call of [() => verify(current, options), () => apply(next, options)]) {
      const error = await failure(call());
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain(
        "the replica set orders was not found: the members belong to the replica set rs0",
      );
    }
  });

  it("as a single secondary is not changed", async () => {
    const { current, next } = await newAccount();
    const [secondary] = await secondaries();
    if (!secondary) throw new Error("no secondary");
    const options = onlyAt(secondary);
    const look = { options, account: current.account, using: byAdmin };
    const calls = [
      () => apply(next, options),
      () => mongodb.examine?.({ ...look, isProven: false }, patience()),
      () => mongodb.hasSessions?.(look, patience()),
      () => mongodb.retire?.(look, patience()),
    ];
    for (const call of calls) {
      const error = await failure(Promise.resolve(call()));
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("is not the primary");
    }
    expect(await verify(current)).toBe("accepted");
  });

  it("without a primary says so", async () => {
    const { current, next } = await newAccount();
    for (const member of await secondaries()) suspend(member);
    const isLeft = () => set.members.map((member) => onMember(member, { hello: 1 }));
    await expect
      .poll(async () => (await Promise.race(isLeft()))["isWritablePrimary"] as unknown, settled)
      .toBe(false);
    const within = { connectWithin: 3000, options: target.optionsWith() };
    const calls = [
      () => mongodb.verify({ ...within, credential: current }, patience()),
      () => mongodb.apply({ ...within, next, using: byAdmin }, patience()),
    ];
    for (const call of calls) {
      const error = await failure(call());
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("the replica set has no primary");
      expect(error.message).toContain("rs.status()");
    }
  });
});
