import { afterEach, describe, expect, it } from "vitest";
import { appIdentity } from "../../conformance/identity.ts";
import { ConfigError, TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { Examination, Using } from "../../shared/rotators/rotator.ts";
import {
  administrator,
  type AzureSqlBench,
  firstSecret,
  startAzureSqlBench,
} from "../contract/rotators/azure-sql-server-bench.ts";
import type { ArmDoubleOptions, ArmRole } from "../doubles/arm/server.ts";

const open: AzureSqlBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.openConnections()).toBe(0);
    await bench.close();
  }
});

async function start(arm: Omit<ArmDoubleOptions, "resources"> = {}): Promise<AzureSqlBench> {
  const bench = await startAzureSqlBench(arm);
  open.push(bench);
  return bench;
}

interface Call {
  readonly account?: string;
  readonly changed?: object;
  readonly role?: ArmRole;
  readonly isProven?: boolean;
  readonly using?: Using;
}

async function examine(bench: AzureSqlBench, call: Call = {}): Promise<Examination> {
  const { account = administrator, changed, role, isProven = false } = call;
  const { using = appIdentity } = call;
  const answer = await bench
    .rotator(role)
    .examine?.(
      { options: bench.optionsWith(changed), account, using, isProven },
      AbortSignal.timeout(20_000),
    );
  if (answer === undefined || answer === "rejected") throw new Error("not examined");
  return answer;
}

const whyMissing = ({ right }: Examination) => (right.is === "missing" ? right.why : right.is);

const write = "Microsoft.Sql/servers/write";
const grant =
  'az role assignment create --role "SQL Server Contributor" --assignee-principal-type ServicePrincipal';

describe("the right of the app's identity to change the administrator", () => {
  it.each([
    [[{ actions: ["*"], notActions: [] }], "proven"],
    [[{ actions: ["microsoft.sql/SERVERS/*"], notActions: [] }], "proven"],
    [
      [
        { actions: ["*/read"], notActions: [] },
        { actions: [write], notActions: [] },
      ],
      "proven",
    ],
    [[], "missing"],
    [[{ actions: ["*/read"], notActions: [] }], "missing"],
    [[{ actions: ["Microsoft.Sql/servers/databases/*"], notActions: [] }], "missing"],
    [[{ actions: ["MicrosoftXSql/servers/write"], notActions: [] }], "missing"],
    [[{ actions: ["*"], notActions: ["Microsoft.Sql/servers/*"] }], "missing"],
    [
      [
        { actions: ["*"], notActions: [write] },
        { actions: ["Microsoft.Sql/*"], notActions: [] },
      ],
      "proven",
    ],
  ])("with the permissions %j is %s", async (permissions, is) => {
    const bench = await start({ permissions });
    const { obstacles, right } = await examine(bench);
    expect(obstacles).toEqual([]);
    expect(right.is).toBe(is);
  });

  it("is named with the account and the command when it is missing", async () => {
    const bench = await start();
    const why = whyMissing(await examine(bench, { role: "reader", isProven: true }));
    expect(why).toContain(`Account \`${administrator}\` cannot be changed`);
    expect(why).toContain(write);
    expect(why).toContain(grant);
    expect(why).toContain("/resourceGroups/rg-orders/providers/Microsoft.Sql/servers/sql-orders");
  });

  it("is missing when the identity may not read the server", async () => {
    const why = whyMissing(await examine(await start(), { role: "stranger" }));
    expect(why).toContain("Microsoft.Sql/servers/read");
    expect(why).toContain(grant);
  });

  it.each([403, 404, 500])("is likely when Azure answers the query with %i", async (status) => {
    const bench = await start();
    bench.arm.faults.on("permissions", { do: "refuse", with: { status } });
    expect(await examine(bench)).toEqual({ obstacles: [], right: { is: "likely" } });
  });

  it("is likely when Azure does not answer the query", async () => {
    const bench = await start();
    bench.arm.faults.on("permissions", { do: "reset-before-effect" });
    expect((await examine(bench)).right).toEqual({ is: "likely" });
  });
});

describe("an examination of the administrator", () => {
  it("names the real administrator", async () => {
    const why = whyMissing(await examine(await start(), { account: "somebody" }));
    expect(why).toContain("`somebody` cannot be changed");
    expect(why).toContain(administrator);
  });

  it("reports that the server accepts only Entra log-ins", async () => {
    const bench = await start();
    const changed = { server: "sql-entra" };
    const found = await examine(bench, { changed });
    expect(found.obstacles).toEqual([expect.stringContaining("only Microsoft Entra log-ins")]);
    expect(whyMissing(found)).toContain("only Microsoft Entra log-ins");
    expect((await examine(bench, { changed, isProven: true })).obstacles).toEqual([]);
  });

  it("reports nothing while the server is not ready", async () => {
    const failed = examine(await start(), { changed: { server: "sql-moving" } });
    await expect(failed).rejects.toBeInstanceOf(TargetUnavailableError);
    await expect(failed).rejects.toThrow("Updating");
  });

  it.each([
    ["a server that is not there", { changed: { server: "sql-nothing" } }, ConfigError],
    ["a token that is too old", { role: "expired" }, TargetUnavailableError],
  ] as const)("is no answer for %s", async (_, call, kind) => {
    await expect(examine(await start(), call)).rejects.toBeInstanceOf(kind);
  });

  it("needs the Azure identity of the app", async () => {
    const credential = { account: administrator, secret: new Secret(firstSecret) };
    const failed = examine(await start(), { using: { as: "self", credential } });
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
  });

  it("makes no log-in and no change", async () => {
    const bench = await start();
    await examine(bench);
    expect(bench.tds.inspection.logins).toEqual([]);
    expect(bench.arm.inspection.requests.map(({ method }) => method)).toEqual([
      "GET",
      "GET",
      "GET",
    ]);
  });
});
