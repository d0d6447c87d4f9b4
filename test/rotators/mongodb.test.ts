import { setTimeout as wait } from "node:timers/promises";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { appIdentity } from "../../conformance/identity.ts";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import {
  admin,
  home,
  type MongodbBench,
  startMongodbBench,
} from "../contract/rotators/mongodb-bench.ts";
import type { MongoDoubleOptions, MongoUser } from "../doubles/mongodb/server.ts";

const current: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const next: Credential = { account: "app", secret: new Secret("S3cond~secret-of-app") };
const bySelf: Using = { as: "self", credential: current };
const byAdmin: Using = { as: "admin", credential: admin };

const open: MongodbBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.double.inspection.connections.open).toBe(0);
    await bench.close();
  }
});

async function start(
  account: Partial<MongoUser> = {},
  server: MongoDoubleOptions = {},
): Promise<MongodbBench> {
  const bench = await startMongodbBench(server);
  open.push(bench);
  await bench.addAccount(current.account, current.secret.reveal(), account);
  return bench;
}

interface Call {
  readonly using?: Using;
  readonly signal?: AbortSignal;
  readonly changed?: object;
  readonly to?: Credential;
}

const apply = (bench: MongodbBench, { using = byAdmin, signal, changed, to = next }: Call = {}) =>
  mongodb.apply(
    { options: bench.optionsWith(changed), next: to, using },
    signal ?? AbortSignal.timeout(20_000),
  );

const verify = (bench: MongodbBench, credential = current, changed: object = {}) =>
  mongodb.verify({ options: bench.optionsWith(changed), credential }, AbortSignal.timeout(20_000));

async function failure(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.then(
    () => "it did not fail",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(String(error));
  for (const { secret } of [current, next, admin]) {
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret.reveal());
  }
  return error;
}

const listMechanisms = (bench: MongodbBench, account: string) =>
  bench.double.inspection.users().find(({ user }) => user === account)?.mechanisms;

describe("the mechanisms of a MongoDB account", () => {
  it.each([
    ["SCRAM-SHA-256 alone", ["SCRAM-SHA-256"]],
    ["both", ["SCRAM-SHA-1", "SCRAM-SHA-256"]],
    ["SCRAM-SHA-1 alone", ["SCRAM-SHA-1"]],
  ] as const)("stay %s", async (_, mechanisms) => {
    const bench = await start({ mechanisms });
    await apply(bench, { using: bySelf });
    expect(listMechanisms(bench, "app")).toEqual(mechanisms);
    await apply(bench, { to: current });
    expect(listMechanisms(bench, "app")).toEqual(mechanisms);
    expect(await verify(bench)).toBe("accepted");
  });

  it("stay the same when the admin may not see the account", async () => {
    const bench = await start();
    bench.double.faults.on("usersInfo", { do: "refuse" });
    await apply(bench);
    expect(await verify(bench, next)).toBe("accepted");
    expect(listMechanisms(bench, "app")).toEqual(["SCRAM-SHA-256"]);
  });

  it("are set without those that the server has switched off", async () => {
    const mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-256"] as const;
    const bench = await start({ mechanisms }, { enabled: ["SCRAM-SHA-256"] });
    await apply(bench);
    expect(listMechanisms(bench, "app")).toEqual(["SCRAM-SHA-256"]);
    expect(await verify(bench, next)).toBe("accepted");
  });

  it("are not added to by a change when the server has switched all of them off", async () => {
    const bench = await start({ mechanisms: ["SCRAM-SHA-1"] }, { enabled: ["SCRAM-SHA-256"] });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("has no mechanism that the server has switched on");
    expect(listMechanisms(bench, "app")).toEqual(["SCRAM-SHA-1"]);
  });
});

describe("the authentication database of MongoDB accounts", () => {
  it("an account of the same name in another database is another account", async () => {
    const bench = await start();
    await bench.addAccount("app", "0ther~secret-of-app", { db: "admin" });
    await apply(bench);
    expect(await bench.logsIn("app", next.secret.reveal())).toBe(true);
    expect(await bench.logsIn("app", "0ther~secret-of-app", "admin")).toBe(true);
  });

  it("an admin logs in to the database configured for admins", async () => {
    const bench = await start();
    const error = await failure(apply(bench, { changed: { adminAuthDatabase: home } }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(bench.double.inspection.logins.at(-1)).toMatchObject({ db: home, accepted: false });
  });
});

describe("a log-in to MongoDB", () => {
  it("is tried once, because wrong guesses lock accounts elsewhere", async () => {
    const bench = await start();
    expect(await verify(bench, next)).toBe("rejected");
    expect(bench.double.inspection.logins).toEqual([{ user: "app", db: home, accepted: false }]);
  });

  it("proves nothing about the secret unless the server refuses it", async () => {
    const bench = await start();
    bench.double.faults.on("login", {
      do: "refuse",
      with: { code: 11_600, codeName: "InterruptedAtShutdown", message: "shutting down" },
    });
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("code 11600");
  });

  it("needs a configured authority for a certificate from an unknown one", async () => {
    const bench = await start({}, { tls: true });
    const error = await failure(verify(bench, current, { tls: {} }));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("options.tls.caFile");
    expect(bench.double.inspection.logins).toEqual([]);
  });

  it("does not continue without TLS when the server offers none", async () => {
    const bench = await start();
    expect(await failure(verify(bench, current, { tls: {} }))).toBeInstanceOf(
      TargetUnavailableError,
    );
    expect(bench.double.inspection.logins).toEqual([]);
  });

  it.each(["account", "secret"] as const)("needs an %s that is not empty", async (field) => {
    const bench = await start();
    const empty = { ...current, [field]: field === "secret" ? new Secret("") : "" };
    expect(await failure(verify(bench, empty))).toBeInstanceOf(ConfigError);
  });
});

describe("a change in MongoDB", () => {
  const unknown = [64, 91, 189, 50, 11_602, 1];
  const known = [2, 11, 13, 59, 40_415, 8000, 50_687, 50_692, 67_137_668];
  it.each([
    ...unknown.map((code) => [code, OutcomeUnknownError] as const),
    ...known.map((code) => [code, ChangeRefusedError] as const),
    [10_107, TargetUnavailableError] as const,
  ])("that is answered with code %i gives %o", async (code, kind) => {
    const bench = await start();
    const message = `no (${next.secret.reveal()})`;
    bench.double.faults.on("updateUser", { do: "refuse", with: { code, message } });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(`code ${code}`);
  });

  it.each([
    ["usersInfo", "reset-before-effect", TargetUnavailableError, "old"],
    ["usersInfo", "hang", TargetUnavailableError, "old"],
    ["updateUser", "reset-before-effect", OutcomeUnknownError, "old"],
    ["updateUser", "lost-reply-after-effect", OutcomeUnknownError, "new"],
    ["updateUser", "hang", OutcomeUnknownError, "old"],
  ] as const)("whose line breaks at %s by %s gives %o", async (effect, fault, kind, valid) => {
    const bench = await start();
    const armed = bench.double.faults.on(effect, { do: fault });
    const giveUp = new AbortController();
    const failed = failure(apply(bench, { signal: giveUp.signal }));
    await expect.poll(() => armed.fired).toBe(1);
    if (fault === "hang") giveUp.abort();
    expect(await failed).toBeInstanceOf(kind);
    expect(await verify(bench, valid === "old" ? current : next)).toBe("accepted");
  });

  it("is not sent with a secret that clients encode differently", async () => {
    const bench = await start();
    const to = { ...current, secret: new Secret("ﬁrst~secret") };
    expect(await failure(apply(bench, { to }))).toBeInstanceOf(ChangeRefusedError);
    expect(bench.double.inspection.logins).toEqual([]);
  });

  it("is not made with an Azure identity", async () => {
    const bench = await start();
    expect(await failure(apply(bench, { using: appIdentity }))).toBeInstanceOf(ConfigError);
  });
});

describe("a replica set", () => {
  const members = (...benches: MongodbBench[]) =>
    mongodb.options.parse({
      hosts: benches.map(({ double }) => `127.0.0.1:${double.port}`),
      replicaSet: "rs0",
      authDatabase: home,
      tls: { mode: "disable" },
    });
  const signal = () => AbortSignal.timeout(20_000);
  const alive = () => start({}, { replicaSet: "rs0" });

  async function dead(): Promise<MongodbBench> {
    const bench = await start();
    bench.double.faults.on("connect", { do: "reset-before-effect", times: Infinity });
    return bench;
  }

  it("is rotated although members are down", async () => {
    const options = members(await dead(), await alive());
    await mongodb.apply({ options, next, using: byAdmin }, signal());
    expect(await mongodb.verify({ options, credential: next }, signal())).toBe("accepted");
    expect(await mongodb.verify({ options, credential: current }, signal())).toBe("rejected");
  });

  it("is unreachable as soon as no member can be reached", async () => {
    const options = members(await dead(), await dead());
    const error = await failure(mongodb.verify({ options, credential: current }, signal()));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("ECONNRESET");
  });

  it("must have a change on a majority of its members before it counts", async () => {
    const bench = await alive();
    const options = members(bench);
    bench.double.lag(true);
    const error = await failure(mongodb.apply({ options, next, using: byAdmin }, signal()));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain("a majority of the replica set has not confirmed it");
    // The primary has it, and an election may still undo it, so nobody may publish it yet.
    const unproven = await failure(mongodb.verify({ options, credential: next }, signal()));
    expect(unproven).toBeInstanceOf(TargetUnavailableError);
    expect(unproven.message).toContain("election may undo a change");
    bench.double.lag(false);
    expect(await mongodb.verify({ options, credential: next }, signal())).toBe("accepted");
  });

  it("is waited for when a majority is a moment late", async () => {
    const bench = await alive();
    const options = members(bench);
    bench.double.lag(true);
    await failure(mongodb.apply({ options, next, using: byAdmin }, signal()));
    const accepted = mongodb.verify({ options, credential: next }, signal());
    await wait(200);
    bench.double.lag(false);
    expect(await accepted).toBe("accepted");
  });
});
