import dns from "node:dns";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { failure } from "../../conformance/errors.ts";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import { aimAt } from "../../shared/rotators/mongodb/mongodb-options.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { admin, type MongodbBench, startMongodbBench } from "../contract/rotators/mongodb-bench.ts";
import { lookUpLocally } from "../doubles/dns.ts";

const current: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const next: Credential = { account: "app", secret: new Secret("S3cond~secret-of-app") };
const byAdmin: Using = { as: "admin", credential: admin };
const patience = () => AbortSignal.timeout(20_000);

let bench: MongodbBench;
beforeEach(async () => {
  vi.spyOn(dns, "lookup").mockImplementation(lookUpLocally(".cosmos.azure.com"));
  bench = await startMongodbBench({ isDocumentDb: true });
  await bench.addAccount("app", current.secret.reveal(), { db: "admin" });
});
afterEach(async () => {
  await expect.poll(() => bench.double.inspection.connections.open).toBe(0);
  await bench.close();
});

const options = () =>
  aimAt(
    mongodb.options.parse({
      srvHost: "orders.mongocluster.cosmos.azure.com",
      tls: { mode: "disable" },
    }),
    `orders.mongocluster.cosmos.azure.com:${bench.double.port}`,
  );
const apply = (to: Credential, using = byAdmin) =>
  mongodb.apply({ options: options(), next: to, using }, patience());
const verify = (credential: Credential) =>
  mongodb.verify({ options: options(), credential }, patience());
const examine = (account: string) =>
  mongodb.examine?.({ options: options(), account, using: byAdmin, isProven: false }, patience());

describe("an account of Azure DocumentDB", () => {
  it("gets its password from an admin, and the old one is rejected", async () => {
    await apply(next);
    expect(await verify(next)).toBe("accepted");
    expect(await verify(current)).toBe("rejected");
  });

  it("is disabled with a password that nobody knows", async () => {
    await mongodb.retire?.({ options: options(), account: "app", using: byAdmin }, patience());
    expect(await verify(current)).toBe("rejected");
  });

  it("is not changed by an admin with a wrong password", async () => {
    const wrong = { ...admin, secret: new Secret("wrong~Secret-of-admin") };
    const error = await failure(apply(next, { as: "admin", credential: wrong }));
    expect(error).toBeInstanceOf(AuthorityRefusedError);
    expect(await verify(current)).toBe("accepted");
  });

  it("that does not exist is refused before anything is sent", async () => {
    const error = await failure(apply({ ...next, account: "nobody_here" }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("does not exist");
    expect(bench.double.inspection.performed("updateUser")).toBe(0);
    expect(await examine("nobody_here")).toMatchObject({
      obstacles: [expect.stringContaining("`nobody_here`")],
    });
  });

  it("that is deleted just before the change is refused", async () => {
    bench.double.faults.on("updateUser", {
      do: "refuse",
      with: { code: 67_137_668, message: "role does not exist" },
    });
    expect(await failure(apply(next))).toBeInstanceOf(ChangeRefusedError);
  });

  it("may have changed when the service reports an internal error", async () => {
    bench.double.faults.on("updateUser", { do: "refuse", with: { code: 1, message: "internal" } });
    expect(await failure(apply(next))).toBeInstanceOf(OutcomeUnknownError);
  });

  it("is likely to be changeable: the privileges that the service shows say nothing about passwords", async () => {
    expect(await examine("app")).toEqual({ obstacles: [], right: { is: "likely" } });
  });

  it("may be in use: the service does not say who is logged in", async () => {
    const leave = await bench.stay("app", current.secret.reveal(), "admin");
    const look = { options: options(), account: "app", using: byAdmin };
    const error = await failure(Promise.resolve(mongodb.hasSessions?.(look, patience())));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("Keyturn cannot find out who is logged in");
    await leave();
  });

  it("is not rejected by another refusal during the log-in", async () => {
    bench.double.faults.on("login", {
      do: "refuse",
      with: { code: 13, message: "the cluster is paused" },
    });
    expect(await failure(verify(current))).toBeInstanceOf(TargetUnavailableError);
  });
});
