import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb, type MongodbOptions } from "../../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { startMongodb } from "../../servers/mongodb.ts";
import type { StartedServer } from "../../servers/server.ts";
import {
  admin,
  home,
  type MongodbTarget,
  openLine,
  openMongodbTarget,
  placeOf,
} from "./mongodb-target.ts";

const byAdmin: Using = { as: "admin", credential: admin };
const patience = () => AbortSignal.timeout(20_000);
const newSecret = () => new Secret(`Aa1-${randomBytes(24).toString("base64url")}`);

let server: StartedServer;
let target: MongodbTarget;
let line: Awaited<ReturnType<typeof openLine>>;
let number = 0;

beforeAll(async () => {
  server = await startMongodb();
  target = await openMongodbTarget(placeOf(server));
  line = await openLine(server);
});
afterAll(async () => {
  await target.close();
  await line.close();
  await server.stop();
});
afterEach(async () => {
  await expect.poll(() => target.openConnections(), { timeout: 10_000 }).toBe(0);
});

async function newAccount(more?: object): Promise<{ current: Credential; next: Credential }> {
  number += 1;
  const account = `account_${String(number)}`;
  const current = { account, secret: newSecret() };
  await target.account(account, current.secret.reveal(), more);
  return { current, next: { account, secret: newSecret() } };
}

interface Through {
  readonly using?: Using;
  readonly options?: MongodbOptions;
}

const apply = (
  next: Credential,
  { using = byAdmin, options = target.optionsWith() }: Through = {},
) => mongodb.apply({ options, next, using }, patience());
const verify = (credential: Credential, options = target.optionsWith()) =>
  mongodb.verify({ options, credential }, patience());
const works = ({ account, secret }: Credential) => target.logsIn(account, secret.reveal());
const mechanismsOf = async ({ account }: Credential) => {
  const { users } = await target.run(home, { usersInfo: account });
  return (users as { mechanisms: string[] }[])[0]?.mechanisms.toSorted();
};

describe("a line to a real MongoDB that breaks", () => {
  it.each([
    ["saslContinue", "lost", TargetUnavailableError, "current"],
    ["usersInfo", "lost", TargetUnavailableError, "current"],
    ["saslSupportedMechs", "carried-out", TargetUnavailableError, "current"],
    ["updateUser", "lost", OutcomeUnknownError, "current"],
    ["updateUser", "carried-out", OutcomeUnknownError, "next"],
  ] as const)("at %s (%s) gives %o", async (text, kind, error, valid) => {
    const account = await newAccount();
    line.cutAt(text, kind);
    const failed = await failure(
      apply(account.next, { options: target.optionsWith(line.options) }),
    );
    expect(failed).toBeInstanceOf(error);
    expect(await works(account[valid])).toBe(true);
  });

  it.each(["saslContinue", "ping"] as const)("at %s proves nothing", async (text) => {
    const { current } = await newAccount();
    line.cutAt(text, "carried-out");
    const failed = await failure(verify(current, target.optionsWith(line.options)));
    expect(failed).toBeInstanceOf(TargetUnavailableError);
  });
});

it("a real MongoDB writes no password to its log, not even with every detail", async () => {
  const { current, next } = await newAccount();
  await target.run("admin", { setParameter: 1, logLevel: 5 });
  await apply(next);
  expect(await verify(next)).toBe("accepted");
  await target.run("admin", { setParameter: 1, logLevel: 0 });
  const log = await readFile(server.logFile, "utf8");
  expect(log).toContain(current.account);
  expect(log).not.toContain(next.secret.reveal());
});

describe("a log-in to a real MongoDB that is not possible", () => {
  it("for the admin refuses the authority and sends nothing", async () => {
    const { current, next } = await newAccount();
    const using: Using = { as: "admin", credential: { ...admin, secret: newSecret() } };
    const error = await failure(apply(next, { using }));
    expect(error).toBeInstanceOf(AuthorityRefusedError);
    expect(error.message).toContain("refuses the password of rotation_admin");
    expect(await works(current)).toBe(true);
  });

  it("without TLS names TLS, and the limit of connections", async () => {
    const { current } = await newAccount();
    const error = await failure(verify(current, target.optionsWith({ tls: { mode: "disable" } })));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("it requires TLS (set options.tls.mode to verify-full)");
  });

  it("with another authority names the file of authorities", async () => {
    const { current } = await newAccount();
    const error = await failure(verify(current, target.optionsWith({ tls: {} })));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("options.tls.caFile");
  });

  it("to a replica set names the server that is no member", async () => {
    const { current } = await newAccount();
    const { host, port, caFile } = server;
    const options = mongodb.options.parse({
      hosts: [`${host}:${String(port)}`],
      replicaSet: "rs0",
      tls: { caFile },
    });
    const error = await failure(verify(current, options));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(`${String(port)} is not a member of a replica set`);
    expect(error.message).toContain("Remove options.replicaSet");
  });

  it("from this address names the addresses", async () => {
    const { current } = await newAccount({
      authenticationRestrictions: [{ clientSource: ["10.0.0.0/8"] }],
    });
    const look = { options: target.optionsWith(), account: current.account, using: byAdmin };
    const found = await mongodb.examine?.({ ...look, isProven: false }, patience());
    if (found === undefined || found === "rejected") throw new Error("not examined");
    expect(found.obstacles).toEqual([
      expect.stringContaining("cannot log in from 127.0.0.1: its authenticationRestrictions"),
    ]);
    // The server itself does not distinguish this from a wrong password.
    expect(await verify(current)).toBe("rejected");
  });
});

describe("a real MongoDB whose connections are used up", () => {
  it("is unavailable, and the limit is named", async () => {
    const { current } = await newAccount();
    await target.close();
    await server.restart(["--maxConns", "5"]);
    const taken = Array.from({ length: 5 }, () => connect(server.port, server.host));
    await Promise.all(taken.map((socket) => once(socket, "connect")));
    const error = await failure(verify(current));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("it has reached its connection limit");
    expect(error.message).toContain("net.maxIncomingConnections");
    for (const socket of taken) socket.destroy();
    await server.restart();
    target = await openMongodbTarget(placeOf(server));
    expect(await verify(current)).toBe("accepted");
  });
});

describe("a real MongoDB with SCRAM-SHA-1 switched off", () => {
  const both = ["SCRAM-SHA-1", "SCRAM-SHA-256"];
  let olds: { current: Credential; next: Credential }[];
  beforeAll(async () => {
    olds = [
      await newAccount({ mechanisms: both }),
      await newAccount({ mechanisms: ["SCRAM-SHA-1"] }),
    ];
    await target.close();
    await server.restart(["--setParameter", "authenticationMechanisms=SCRAM-SHA-256"]);
    target = await openMongodbTarget(placeOf(server));
  });

  it("rotates an account that has both mechanisms", async () => {
    const [old] = olds;
    if (!old) throw new Error("no account");
    expect(await mechanismsOf(old.current)).toEqual(both);
    await apply(old.next);
    expect(await verify(old.next)).toBe("accepted");
    expect(await mechanismsOf(old.next)).toEqual(["SCRAM-SHA-256"]);
  });

  it("refuses to change an account that has only SCRAM-SHA-1, with what to do", async () => {
    const old = olds[1];
    if (!old) throw new Error("no account");
    const error = await failure(apply(old.next));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("authenticationMechanisms");
    expect(await mechanismsOf(old.current)).toEqual(["SCRAM-SHA-1"]);
  });
});
