import { describe, expect, it } from "vitest";
import { OutcomeUnknownError, TargetUnavailableError } from "../../shared/core/errors.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import type { AzureSqlBench } from "../contract/rotators/azure-sql-bench.ts";
import type { TdsEdition, TdsEffect } from "../doubles/tds/server.ts";
import {
  apply,
  asAdmin,
  credential,
  examine,
  first,
  isInUse,
  retire,
  second,
  startBench,
} from "./azure-sql-steps.ts";

interface Kind {
  readonly name: string;
  readonly edition: TdsEdition;
  readonly is: "login" | "disabled login" | "contained user";
  readonly as: Using["as"];
  readonly options?: object;
}

const kinds: readonly Kind[] = [
  { name: "a login of SQL Server, by an admin", edition: "sql-server", is: "login", as: "admin" },
  {
    name: "a disabled login of SQL Server, by an admin",
    edition: "sql-server",
    is: "disabled login",
    as: "admin",
  },
  {
    name: "a login of Azure SQL Database, by the identity",
    edition: "azure-sql-database",
    is: "login",
    as: "identity",
  },
  {
    name: "a login of Azure SQL Database, by itself",
    edition: "azure-sql-database",
    is: "login",
    as: "self",
  },
  {
    name: "a contained user of Managed Instance, by itself",
    edition: "managed-instance",
    is: "contained user",
    as: "self",
  },
  {
    name: "a contained user of Azure SQL Database, by an admin",
    edition: "azure-sql-database",
    is: "contained user",
    as: "admin",
    options: { contained: true },
  },
];

const effects: readonly TdsEffect[] = [
  "connect",
  "login",
  "query",
  "set-password",
  "enable",
  "disable",
  "flush",
];
const faults = ["reset-before-effect", "lost-reply-after-effect"] as const;

/** What may have changed the account is unknown; everything before that changes nothing. */
const changing = new Set<TdsEffect>(["set-password", "enable", "disable"]);

function create(bench: AzureSqlBench, is: Kind["is"], account: string): void {
  if (is === "contained user") bench.containedUser(account, first);
  else bench.login(account, first);
  if (is === "disabled login") bench.tds.setEnabled(account, false);
}

/** Runs the call once for each request of it, on an account of its own, and loses the line at that request. Returns how often. */
async function loseAtEach(
  bench: AzureSqlBench,
  is: Kind["is"],
  run: (account: string) => Promise<unknown> | undefined,
  check: (account: string, at: string) => Promise<void>,
): Promise<number> {
  let count = 0;
  for (const effect of effects) {
    for (const fault of faults) {
      for (let after = 0; ; after++) {
        const account = `app_${effect}_${fault}_${after}`;
        create(bench, is, account);
        const armed = bench.tds.faults.on(effect, { do: fault, after });
        const at = `${fault} at ${effect} ${after}`;
        const outcome = await run(account)?.catch((error: unknown) => error);
        armed.disarm();
        if (armed.fired === 0) break;
        count += 1;
        const expected = changing.has(effect) ? OutcomeUnknownError : TargetUnavailableError;
        // The flush comes after the change.
        if (effect === "flush") expect(outcome, at).not.toBeInstanceOf(Error);
        else expect(outcome, at).toBeInstanceOf(expected);
        await check(account, at);
      }
    }
  }
  return count;
}

function changedFor(bench: AzureSqlBench, { as, options }: Kind, account: string, secret = first) {
  const self: Using = { as: "self", credential: credential(account, secret) };
  const using = { self, admin: asAdmin(bench), identity: bench.identity }[as];
  return { using, ...(options && { options }) };
}

describe("a line lost at any request of a call", () => {
  it.each(kinds)("leaves $name a known secret, and a repeated change completes", async (kind) => {
    const bench = await startBench(kind.edition);
    const change = (account: string, secret?: string) =>
      apply(bench, account, changedFor(bench, kind, account, secret));
    const count = await loseAtEach(bench, kind.is, change, async (account, at) => {
      const logsIn = [await bench.logsIn(account, first), await bench.logsIn(account, second)];
      // Between the changes, a login that was disabled has a secret that nobody knows.
      if (kind.is === "disabled login") expect(logsIn[0], at).toBe(false);
      else expect(logsIn, at).toContain(true);
      await change(account, logsIn[1] === true ? second : first);
      expect(await bench.logsIn(account, second), at).toBe(true);
      expect(await bench.logsIn(account, first), at).toBe(false);
    });
    expect(count).toBeGreaterThanOrEqual(10);
  });

  const enabled = kinds.filter(({ is }) => is !== "disabled login");

  it.each(enabled.filter(({ as }) => as !== "self"))(
    "lets a repeated retirement of $name complete",
    async (kind) => {
      const bench = await startBench(kind.edition);
      const end = (account: string) => retire(bench, account, changedFor(bench, kind, account));
      await loseAtEach(bench, kind.is, end, async (account, at) => {
        await end(account);
        expect(await bench.logsIn(account, first), at).toBe(false);
      });
    },
  );

  it.each(enabled)("never makes the sessions or the state of $name known", async (kind) => {
    const bench = await startBench(kind.edition);
    for (const ask of [isInUse, examine]) {
      const run = (account: string) => ask(bench, account, changedFor(bench, kind, account));
      await loseAtEach(bench, kind.is, run, () => Promise.resolve());
    }
  });
});
