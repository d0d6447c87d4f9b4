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
import {
  type AdminService,
  type AdminServiceName,
  adminServices,
} from "../../shared/rotators/azure-admin/azure-admin-services.ts";
import type { Examination } from "../../shared/rotators/rotator.ts";
import {
  type AdminBench,
  administrator,
  firstSecret,
  startAdminBench,
  startSqlPlane,
} from "../contract/rotators/azure-admin-bench.ts";
import type { ArmDoubleOptions, ArmRole } from "../doubles/arm/server.ts";

const current: Credential = { account: administrator, secret: new Secret(firstSecret) };
const next: Credential = { account: administrator, secret: new Secret("S3cond~secret-of-it") };

const open: AdminBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.openConnections()).toBe(0);
    await bench.close();
  }
});

/** Azure is emulated for every service. No test of this file logs in, so all of them share one kind of server. */
async function start(
  service: AdminServiceName,
  arm: Omit<ArmDoubleOptions, "resources"> = {},
): Promise<AdminBench> {
  const bench = await startAdminBench(service, await startSqlPlane(), { hostile: true, ...arm });
  open.push(bench);
  return bench;
}

interface Call {
  readonly name?: string;
  readonly role?: ArmRole;
  readonly to?: Credential;
  readonly signal?: AbortSignal;
}

const patience = () => AbortSignal.timeout(20_000);

function apply(bench: AdminBench, { name = "orders", role, to = next, signal }: Call = {}) {
  const options = bench.optionsWith({ name });
  const change = { options, next: to, using: appIdentity };
  return bench.rotator(role).apply(change, signal ?? patience());
}

async function examine(bench: AdminBench, { name = "orders", role, to = next }: Call = {}) {
  const look = { options: bench.optionsWith({ name }), account: to.account, isProven: false };
  const found = await bench.rotator(role).examine?.({ ...look, using: appIdentity }, patience());
  if (found === undefined || found === "rejected") throw new Error("not examined");
  return found;
}

const whyMissing = ({ right }: Examination) => (right.is === "missing" ? right.why : right.is);

async function failure(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.then(
    () => "it did not fail",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(String(error));
  const told = inspect(error, { depth: 10, showHidden: true });
  for (const { secret } of [current, next]) expect(told).not.toContain(secret.reveal());
  expect(told).not.toContain("Bearer");
  return error;
}

const patches = ({ arm }: AdminBench) =>
  arm.inspection.requests.filter(({ method }) => method === "PATCH").length;

const names = Object.keys(adminServices) as AdminServiceName[];

describe.each(names)("the administrator of %s", (service) => {
  const row: AdminService = adminServices[service];

  it("gets the new password, once", async () => {
    const bench = await start(service);
    await apply(bench);
    expect(bench.arm.inspection.landed("orders")).toBe(1);
    expect(patches(bench)).toBe(1);
    expect(await bench.plane.logsIn(administrator, next.secret.reveal())).toBe(true);
  });

  it.each(["both", "location"] as const)(
    "is changed by a long-running operation with %s headers",
    async (headers) => {
      const bench = await start(service, { headers, ticks: 3, effectAt: "completion" });
      await apply(bench);
      expect(bench.arm.inspection.isBusy("orders")).toBe(false);
      expect(bench.arm.inspection.landed("orders")).toBe(1);
    },
  );

  it("has no password if the server accepts only Entra log-ins", async () => {
    const bench = await start(service);
    const error = await failure(apply(bench, { name: "orders-entra" }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("only Microsoft Entra log-ins");
    expect(error.message).toContain("options.name");
    const found = await examine(bench, { name: "orders-entra" });
    expect(found.obstacles).toEqual([expect.stringContaining("only Microsoft Entra log-ins")]);
    expect(patches(bench)).toBe(0);
  });

  it("is compared with the account of the target", async () => {
    const bench = await start(service);
    const to = { ...next, account: "somebody" };
    const error = await failure(apply(bench, { to }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/ktadmin.*somebody/);
    expect(whyMissing(await examine(bench, { to }))).toContain(`is \`${administrator}\``);
    expect(patches(bench)).toBe(0);
  });

  it("is not found after the server was deleted", async () => {
    const bench = await start(service);
    bench.arm.remove("orders");
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("the server does not exist");
    await expect(examine(bench)).rejects.toBeInstanceOf(ConfigError);
  });

  it("is left alone while the server is not ready", async () => {
    const examined = examine(await start(service), { name: "orders-moving" });
    await expect(examined).rejects.toBeInstanceOf(TargetUnavailableError);
    await expect(examined).rejects.toThrow("its state is Updating");
  });

  it.each([
    ["stranger", "read"],
    ["reader", "write"],
  ] as const)("cannot be changed by a %s, and the command is named", async (role, right) => {
    const bench = await start(service);
    const error = await failure(apply(bench, { role }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    for (const why of [error.message, whyMissing(await examine(bench, { role }))]) {
      expect(why).toContain(`lacks \`${row.type}/${right}\``);
      expect(why).toContain(`az role assignment create --role "${row.role}"`);
      expect(why).toContain(`/resourceGroups/rg-orders/providers/${row.type}/orders`);
    }
    expect(bench.arm.inspection.landed("orders")).toBe(0);
  });

  it("may be changed by a contributor", async () => {
    const bench = await start(service);
    expect(await examine(bench)).toEqual({ obstacles: [], right: { is: "proven" } });
    expect(patches(bench)).toBe(0);
  });

  it.each([
    [{ status: 400 }, ChangeRefusedError],
    [{ status: 404, code: "ResourceNotFound" }, ConfigError],
    [{ status: 409, code: "ServerIsBusy" }, TargetUnavailableError],
    [{ status: 409, code: "ScopeLocked" }, ChangeRefusedError],
    [{ status: 403, code: "RequestDisallowedByPolicy" }, ChangeRefusedError],
    [{ status: 429, retryAfter: 0 }, TargetUnavailableError],
    [{ status: 503, retryAfter: 0 }, OutcomeUnknownError],
    [{ status: 403, page: "<html></html>" }, OutcomeUnknownError],
    [{ status: 429, page: "<html></html>" }, OutcomeUnknownError],
  ])("is asked about once when the change is answered with %j", async (refusal, kind) => {
    const bench = await start(service);
    bench.arm.faults.on("patch", { do: "refuse", with: refusal });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(kind);
    expect(patches(bench)).toBe(1);
    expect(bench.arm.inspection.landed("orders")).toBe(0);
  });

  it.each([
    [{ status: 429, retryAfter: 60 }, "did not answer"],
    [{ status: 404, page: "<html></html>" }, "not from Azure"],
    [{ status: 401 }, "refuses the token"],
  ])("is not known when the query is answered with %j", async (refusal, words) => {
    const bench = await start(service);
    bench.arm.faults.on("get", { do: "refuse", with: refusal });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain(words);
    expect(patches(bench)).toBe(0);
  });

  it.each([
    ["patch", "reset-before-effect", 0],
    ["patch", "lost-reply-after-effect", 1],
  ] as const)("has an unknown password after %s %s", async (effect, fault, landed) => {
    const bench = await start(service);
    bench.arm.faults.on(effect, { do: fault });
    expect(await failure(apply(bench))).toBeInstanceOf(OutcomeUnknownError);
    expect(patches(bench)).toBe(1);
    expect(bench.arm.inspection.landed("orders")).toBe(landed);
  });

  it("has an unknown password when the operation fails, or may not be read", async () => {
    const bench = await start(service);
    bench.arm.faults.on("operation", { do: "refuse" });
    expect(await failure(apply(bench))).toBeInstanceOf(OutcomeUnknownError);
    await bench.arm.settle();
    expect(await failure(apply(bench, { role: "writer" }))).toBeInstanceOf(OutcomeUnknownError);
    expect(bench.arm.inspection.landed("orders")).toBe(1);
  });

  it("keeps its password when the operation fails because of the new one", async () => {
    const bench = await start(service);
    bench.arm.faults.on("operation", { do: "refuse", with: { code: "PasswordNotComplex" } });
    expect(await failure(apply(bench))).toBeInstanceOf(ChangeRefusedError);
  });

  it.each(["patch", "poll", "operation"] as const)(
    "has an unknown password soon after the signal fires while %s hangs",
    async (effect) => {
      const bench = await start(service, { retryAfter: 3600 });
      const armed = bench.arm.faults.on(effect, { do: "hang" });
      const giveUp = new AbortController();
      const failed = failure(apply(bench, { signal: giveUp.signal }));
      // The client that waits for its first poll has sent the change.
      await expect.poll(() => armed.fired + patches(bench)).toBeGreaterThan(0);
      giveUp.abort();
      expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    },
  );

  it("never gets a password that is too short", async () => {
    const bench = await start(service);
    const secret = new Secret("Aa1-".padEnd(row.minPassword - 1, "x"));
    const error = await failure(apply(bench, { to: { account: administrator, secret } }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain(`at least ${row.minPassword} characters`);
    expect(bench.arm.inspection.requests).toEqual([]);
  });
});

it.each(["postgresql", "mysql", "documentdb"] as const)(
  "the administrator of a replica of %s is changed at its primary",
  async (service) => {
    const bench = await start(service);
    const error = await failure(apply(bench, { name: "orders-replica" }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("the server is a replica");
    const found = await examine(bench, { name: "orders-replica" });
    expect(whyMissing(found)).toContain("Name the primary in options.name");
    expect(patches(bench)).toBe(0);
  },
);

it.each(["postgresql", "documentdb"] as const)(
  "a password that clients encode differently is refused for %s before anything is sent",
  async (service) => {
    const bench = await start(service);
    const to = { account: administrator, secret: new Secret("Aa1-ﬁne-and-long-enough") };
    const error = await failure(apply(bench, { to }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("encode differently");
    expect(bench.arm.inspection.requests).toEqual([]);
  },
);

it("a missing Entra switch of MySQL means that passwords are accepted", async () => {
  const bench = await start("mysql");
  const refusal = { status: 404, code: "ResourceNotFound" };
  bench.arm.faults.on("entraOnly", { do: "refuse", with: refusal });
  await apply(bench);
  expect(bench.arm.inspection.landed("orders")).toBe(1);
});
