import { describe, expect, it } from "vitest";
import {
  AccountBlockedError,
  AuthorityRefusedError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import type { AzureSqlBench } from "../contract/rotators/azure-sql-bench.ts";
import {
  apply,
  examine,
  failure,
  first,
  isInUse,
  loginOf,
  retire,
  second,
  startBench,
  verify,
} from "./azure-sql-steps.ts";

/** Every call, with the log-in of the account itself or of the authority. */
const calls: Readonly<Record<string, (bench: AzureSqlBench) => Promise<unknown> | undefined>> = {
  verify: (bench) => verify(bench, "app", first),
  "verify with a wrong secret": (bench) => verify(bench, "app", second),
  apply: (bench) => apply(bench, "app"),
  "apply with the identity": (bench) => apply(bench, "app", { using: bench.identity }),
  examine: (bench) => examine(bench, "app"),
  hasSessions: (bench) => isInUse(bench, "app"),
  retire: (bench) => retire(bench, "app"),
};

/** Expects every call to fail because the target is unavailable, with these words, and nothing to change. */
async function expectUnavailable(bench: AzureSqlBench, words: readonly string[]): Promise<void> {
  const before = bench.snapshot();
  for (const [name, call] of Object.entries(calls)) {
    const error = await failure(call(bench));
    expect(error, name).toBeInstanceOf(TargetUnavailableError);
    expect(error, name).not.toBeInstanceOf(AuthorityRefusedError);
    expect(error, name).not.toBeInstanceOf(AccountBlockedError);
    for (const word of words) expect(error.message, name).toContain(word);
  }
  expect(bench.snapshot()).toEqual(before);
}

describe("a limit on connections", () => {
  it("of SQL Server stops every call until a client leaves", async () => {
    const bench = await startBench();
    bench.login("app", first);
    const leave = await bench.stay("app", first);
    bench.tds.limitSessions(1);
    await expectUnavailable(bench, ["error 17809", "Close some", "'user connections'"]);
    bench.tds.limitSessions(2);
    await apply(bench, "app");
    await leave();
    await expect.poll(() => bench.tds.inspection.connections.open).toBe(0);
    expect(await verify(bench, "app", second)).toBe("accepted");
  });

  it("of a database of Azure SQL Database stops every call until a client leaves", async () => {
    const bench = await startBench("azure-sql-database");
    bench.login("app", first);
    const leave = await bench.stay("app", first);
    bench.tds.limitSessions(1, "shop");
    await expectUnavailable(bench, ["error 10928", "Close some", "service tier"]);
    await leave();
    await expect.poll(() => bench.tds.inspection.connections.open).toBe(0);
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
  });

  it("of master changes nothing, because the logins of Azure SQL Database are stored there", async () => {
    const bench = await startBench("azure-sql-database");
    bench.login("app", first);
    bench.tds.limitSessions(0, "master");
    for (const call of [apply, examine, isInUse, retire]) {
      const error = await failure(call(bench, "app"));
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("error 10928");
    }
    expect(loginOf(bench, "app")?.password).toBe(first);
    bench.containedUser("inside", first);
    await apply(bench, "inside", { options: { contained: true } });
    expect(await bench.logsIn("inside", second)).toBe(true);
  });

  it.each([
    [10_928, "raise the limit"],
    [10_929, "reduce its load"],
    [10_930, "reduce its load"],
    [10_936, "raise the limit"],
    [17_197, "reduce its load"],
    [17_300, "raise the limit"],
    [17_803, "reduce its load"],
    [17_809, "raise the limit"],
    [18_458, "add licenses"],
    [18_459, "add licenses"],
    [18_460, "add licenses"],
  ])("that is reported with error %i says nothing about the secret", async (number, words) => {
    const bench = await startBench();
    bench.login("app", first);
    const refusal = { number, severity: 20, message: "Login failed." };
    bench.tds.faults.on("login", { do: "refuse", with: refusal, times: Infinity });
    await expectUnavailable(bench, [`error ${number}`, words]);
  });

  it("that the server reports only by closing the connection says nothing about the secret", async () => {
    const bench = await startBench();
    bench.login("app", first);
    bench.tds.faults.on("connect", { do: "reset-before-effect", times: Infinity });
    await expectUnavailable(bench, []);
  });
});
