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
import { azureSqlServer } from "../../shared/rotators/azure-sql-server/azure-sql-server.ts";
import type { Applied, Using } from "../../shared/rotators/rotator.ts";
import {
  administrator,
  type AzureSqlBench,
  firstSecret,
  startAzureSqlBench,
} from "../contract/rotators/azure-sql-server-bench.ts";
import type { ArmDoubleOptions, ArmRole } from "../doubles/arm/server.ts";
import type { TdsDoubleOptions } from "../doubles/tds/server.ts";

const current: Credential = { account: administrator, secret: new Secret(firstSecret) };
const next: Credential = { account: administrator, secret: new Secret("S3cond~secret-of-it") };

const open: AzureSqlBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.openConnections()).toBe(0);
    await bench.close();
  }
});

async function start(
  arm: Omit<ArmDoubleOptions, "resources"> = {},
  tds: TdsDoubleOptions = {},
): Promise<AzureSqlBench> {
  const bench = await startAzureSqlBench({ hostile: true, ...arm }, { hostile: true, ...tds });
  open.push(bench);
  return bench;
}

interface Call {
  readonly changed?: object;
  readonly role?: ArmRole;
  readonly signal?: AbortSignal;
  readonly to?: Credential;
  readonly using?: Using;
}

function apply(bench: AzureSqlBench, call: Call = {}): Promise<Applied> {
  const { changed, role, to = next, using = appIdentity } = call;
  const signal = call.signal ?? AbortSignal.timeout(20_000);
  return bench
    .rotator(role)
    .apply({ options: bench.optionsWith(changed), next: to, using }, signal);
}

const verify = (bench: AzureSqlBench, credential = current) =>
  bench.rotator().verify({ options: bench.optionsWith(), credential }, AbortSignal.timeout(20_000));

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

const patches = ({ arm }: AzureSqlBench) =>
  arm.inspection.requests.filter(({ method }) => method === "PATCH").length;

describe("an Azure SQL server that accepts only Entra log-ins", () => {
  it("is refused before anything is changed", async () => {
    const bench = await start();
    const error = await failure(apply(bench, { changed: { server: "sql-entra" } }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("only Microsoft Entra log-ins");
    expect(patches(bench)).toBe(0);
  });

  it("is recognised by its refusal when the identity may not read it", async () => {
    const bench = await start();
    bench.arm.faults.on("entraOnly", { do: "refuse", with: { status: 403 } });
    const refusal = { status: 400, code: "AadOnlyAuthenticationIsEnabled" };
    bench.arm.faults.on("patch", { do: "refuse", with: refusal });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("only Microsoft Entra log-ins");
  });
});

describe("the check before a change of the administrator", () => {
  it("compares the administrator, and reports both names when they differ", async () => {
    const bench = await start();
    const error = await failure(apply(bench, { to: { ...next, account: "somebody" } }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/ktadmin.*somebody/);
    expect(patches(bench)).toBe(0);
  });

  it.each([
    ["a server that is not there", { changed: { server: "sql-nothing" } }, ConfigError, "404"],
    ["a group that is not there", { changed: { resourceGroup: "rg-no" } }, ConfigError, "404"],
    ["no right to read", { role: "stranger" }, ChangeRefusedError, "Microsoft.Sql/servers/read"],
    ["a token that is too old", { role: "expired" }, TargetUnavailableError, "token"],
    ["a token that is none", { role: "forged" }, TargetUnavailableError, "token"],
  ] as const)("finds out about %s", async (_, call, kind, words) => {
    const bench = await start();
    const error = await failure(apply(bench, call));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(words);
    expect(patches(bench)).toBe(0);
  });

  it.each(["get", "entraOnly"] as const)(
    "has no result when Azure throttles %s",
    async (effect) => {
      const bench = await start();
      bench.arm.faults.on(effect, { do: "refuse", with: { status: 429, retryAfter: 30 } });
      expect(await failure(apply(bench))).toBeInstanceOf(TargetUnavailableError);
      expect(patches(bench)).toBe(0);
    },
  );

  it.each(["get", "entraOnly"] as const)(
    "is not known when a gateway answers %s in Azure's place",
    async (effect) => {
      for (const status of [401, 403, 404]) {
        const bench = await start();
        const page = "<html><body>Not here</body></html>";
        bench.arm.faults.on(effect, { do: "refuse", with: { status, page } });
        const error = await failure(apply(bench));
        expect(error).toBeInstanceOf(TargetUnavailableError);
        expect(error.message).toContain(
          "the answer to the query is not from Azure. Check the proxies and gateways between the app and Azure",
        );
        expect(patches(bench)).toBe(0);
      }
    },
  );

  it("fails without a token, and its message repeats nothing of that error", async () => {
    const bench = await start();
    const broken = new Error(`the managed identity said ${next.secret.reveal()}`);
    broken.name = "CredentialUnavailableError";
    const rotator = azureSqlServer(
      { getToken: () => Promise.reject(broken) },
      { ca: bench.arm.ca },
    );
    const options = bench.optionsWith();
    const signal = AbortSignal.timeout(20_000);
    const error = await failure(rotator.apply({ options, next, using: appIdentity }, signal));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("no token");
  });

  it("never goes to a server with an untrusted certificate", async () => {
    const bench = await start();
    const rotator = azureSqlServer(bench.arm.credential());
    const options = bench.optionsWith();
    const signal = AbortSignal.timeout(20_000);
    const error = await failure(rotator.apply({ options, next, using: appIdentity }, signal));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("trusted authority");
    expect(bench.arm.inspection.requests).toEqual([]);
  });

  it.each(["Short1~", "lowercase-and-symbols", "My-ktadmin-1"])(
    "refuses the secret %j before anything is sent",
    async (simple) => {
      const bench = await start();
      const to = { account: administrator, secret: new Secret(simple) };
      const error = await failure(apply(bench, { to }));
      expect(error).toBeInstanceOf(ChangeRefusedError);
      expect(error.message).toContain("Change the password rules of the policy");
      expect(bench.arm.inspection.requests).toEqual([]);
    },
  );

  it.each(["self", "admin"] as const)("is refused with the authority of %s", async (as) => {
    const bench = await start();
    const error = await failure(apply(bench, { using: { as, credential: current } }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(bench.arm.inspection.requests).toEqual([]);
  });
});

describe("the change of the administrator", () => {
  it.each([400, 403, 404, 409])(
    "has an unknown outcome when a gateway answers %i in Azure's place",
    async (status) => {
      const bench = await start();
      bench.arm.faults.on("patch", { do: "refuse", with: { status, page: "<html></html>" } });
      expect(await failure(apply(bench))).toBeInstanceOf(OutcomeUnknownError);
    },
  );

  it.each([
    [400, ChangeRefusedError],
    [401, TargetUnavailableError],
    [403, ChangeRefusedError],
    [404, ConfigError],
    [405, ChangeRefusedError],
    [408, OutcomeUnknownError],
    [409, TargetUnavailableError],
    [429, TargetUnavailableError],
    [500, OutcomeUnknownError],
    [503, OutcomeUnknownError],
  ])("is sent once, and when answered with status %i gives %o", async (status, kind) => {
    const bench = await start();
    bench.arm.faults.on("patch", { do: "refuse", with: { status, retryAfter: 0 } });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(`status ${status}`);
    expect(patches(bench)).toBe(1);
    expect(await verify(bench)).toBe("accepted");
  });

  it("names the missing right", async () => {
    const bench = await start();
    const error = await failure(apply(bench, { role: "reader" }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("Microsoft.Sql/servers/write");
  });

  it("is refused by a lock, which is not another operation under way", async () => {
    const bench = await start();
    const refusal = { status: 409, code: "ScopeLocked" };
    bench.arm.faults.on("patch", { do: "refuse", with: refusal });
    expect(await failure(apply(bench))).toBeInstanceOf(ChangeRefusedError);
  });

  it("waits for the operation that is under way", async () => {
    const bench = await start({ ticks: 10 });
    bench.arm.faults.on("poll", { do: "reset-before-effect" });
    expect(await failure(apply(bench))).toBeInstanceOf(OutcomeUnknownError);
    expect(await failure(apply(bench))).toBeInstanceOf(TargetUnavailableError);
    await bench.arm.settle();
    await apply(bench);
    expect(await verify(bench, next)).toBe("accepted");
  });

  it.each(["reset-before-effect", "lost-reply-after-effect"] as const)(
    "has an unknown outcome after %s, and is not sent again",
    async (fault) => {
      const bench = await start();
      bench.arm.faults.on("patch", { do: fault });
      expect(await failure(apply(bench))).toBeInstanceOf(OutcomeUnknownError);
      expect(patches(bench)).toBe(1);
      const valid = fault === "reset-before-effect" ? current : next;
      expect(await verify(bench, valid)).toBe("accepted");
    },
  );
});

describe("the operation that a change starts", () => {
  it("is waited for", async () => {
    const bench = await start({ effectAt: "completion", ticks: 3 });
    await apply(bench);
    expect(bench.arm.inspection.isBusy("sql-orders")).toBe(false);
    expect(await verify(bench, next)).toBe("accepted");
  });

  it("has an unknown outcome when it fails", async () => {
    const bench = await start();
    bench.arm.faults.on("operation", { do: "refuse" });
    expect(await failure(apply(bench))).toBeInstanceOf(OutcomeUnknownError);
  });

  it("is a refusal when it fails because of the secret", async () => {
    const bench = await start();
    bench.arm.faults.on("operation", { do: "refuse", with: { code: "PasswordNotComplex" } });
    const error = await failure(apply(bench));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("not complex enough");
  });

  it("has an unknown outcome when the identity may not read it", async () => {
    const bench = await start();
    expect(await failure(apply(bench, { role: "writer" }))).toBeInstanceOf(OutcomeUnknownError);
    expect(await verify(bench, next)).toBe("accepted");
  });

  it.each([
    ["patch", { do: "hang" }],
    ["poll", { do: "hang" }],
    ["operation", { do: "hang" }],
  ] as const)("is cancelled at once when the signal fires and %s hangs", async (effect, fault) => {
    // The client would wait for an hour between two polls of the operation.
    const bench = await start({ retryAfter: 3600 });
    const armed = bench.arm.faults.on(effect, fault);
    const giveUp = new AbortController();
    const failed = failure(apply(bench, { signal: giveUp.signal }));
    await expect.poll(() => armed.fired).toBe(1);
    if (effect === "operation") await expect.poll(() => patches(bench)).toBe(1);
    giveUp.abort();
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
  });
});

describe("a new password of an Azure SQL administrator", () => {
  it("may be refused for a while, during which the old one is still accepted", async () => {
    const bench = await start({}, { propagation: 3 });
    await apply(bench);
    expect(await verify(bench, next)).toBe("rejected");
    expect(await verify(bench, current)).toBe("accepted");
    expect(await verify(bench, next)).toBe("rejected");
    expect(await verify(bench, next)).toBe("accepted");
    expect(await verify(bench, current)).toBe("rejected");
    expect(bench.rotator().capabilities.propagation).toBe(300_000);
  });
});
