import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CutKind, type CutProxy, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import { OutcomeUnknownError, TargetUnavailableError } from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { mysqlBench, self, withNewSecret } from "./mysql-bench.ts";
import { mysqlSystems } from "./mysql-target.ts";

const kinds: readonly CutKind[] = ["lost", "carried-out"];
const isChange = (text: string) => /^(?:ALTER USER|SET PASSWORD)/.test(text);

describe.each(mysqlSystems)("when the line to %s is lost", (system) => {
  const bench = mysqlBench(system);
  let proxy: CutProxy;

  beforeAll(async () => {
    proxy = await cutProxy(bench.target.server.port);
  });
  afterAll(() => proxy.close());

  const throughProxy = () => bench.optionsWith({ port: proxy.port, tls: { mode: "disable" } });

  /** The beginnings of all statements that the work sends, up to the first name or password. */
  async function statementsOf(by: string, work: () => Promise<unknown>): Promise<string[]> {
    await bench.sql("TRUNCATE mysql.general_log");
    await work();
    const rows = await bench.sql(
      `SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
       WHERE command_type = 'Query' AND user_host LIKE ? ORDER BY event_time`,
      [`${by}[%`],
    );
    return rows.map((row) => String(row["text"]).trim().split("'")[0] ?? "");
  }

  const using = (as: string, current: Credential): Using =>
    as === "self" ? self(current) : bench.admin();

  it.each(["self", "admin"])(
    "at any statement of a change by %s, the error says whether it was made, and a repetition makes it",
    async (as) => {
      const example = await bench.newAccount();
      const by = as === "self" ? example.account : bench.target.admin.account;
      const statements = await statementsOf(by, () =>
        bench.apply(withNewSecret(example), using(as, example)),
      );
      expect(statements.filter(isChange).length).toBe(1);
      const change = statements.findIndex(isChange);
      for (const kind of kinds) {
        for (const [index, text] of statements.entries()) {
          const current = await bench.newAccount();
          const next = withNewSecret(current);
          proxy.cutAt(text, kind);
          const attempt = bench.apply(next, using(as, current), { options: throughProxy() });
          const expected =
            index < change
              ? TargetUnavailableError
              : index === change
                ? OutcomeUnknownError
                : undefined;
          const name = `${text} ${kind}`;
          if (expected === undefined) await attempt;
          else await expect(attempt, name).rejects.toBeInstanceOf(expected);
          const isMade = index > change || (index === change && kind === "carried-out");
          expect(await bench.works(isMade ? next : current), name).toBe(true);
          expect(await bench.works(isMade ? current : next), name).toBe(false);
          await bench.apply(next, using(as, isMade ? next : current));
          expect(await bench.works(next), name).toBe(true);
        }
      }
    },
  );

  it("at any statement of a retirement, a repetition completes it", async () => {
    const example = await bench.newAccount();
    const statements = await statementsOf(bench.target.admin.account, () =>
      bench.retire(example.account),
    );
    expect(statements.some(isChange)).toBe(true);
    for (const kind of kinds) {
      for (const [index, text] of statements.entries()) {
        const current = await bench.newAccount();
        proxy.cutAt(text, kind);
        const attempt = bench.retire(current.account, bench.admin(), throughProxy());
        if (index <= statements.findLastIndex(isChange)) {
          const expected =
            index < statements.findIndex(isChange) ? TargetUnavailableError : OutcomeUnknownError;
          await expect(attempt, `${text} ${kind}`).rejects.toBeInstanceOf(expected);
        } else await attempt;
        await bench.retire(current.account);
        expect(await bench.works(current), `${text} ${kind}`).toBe(false);
      }
    }
  });
});
