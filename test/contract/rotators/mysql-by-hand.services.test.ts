import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { holdProxy } from "../../../conformance/faults/hold-proxy.ts";
import { mysqlBench, withNewSecret } from "./mysql-bench.ts";

/** What a person may do, as the end of ALTER USER. */
const byHand = ["IDENTIFIED BY ? RETAIN CURRENT PASSWORD", "IDENTIFIED BY ?"];

describe.each(byHand)(
  "when a person runs ALTER USER … %s between two statements of mysql",
  (what) => {
    const bench = mysqlBench("mysql");
    const { newAccount, works, sql } = bench;

    /** Delays the statement of the work that has the text, until the person has changed the account. */
    async function disturbed(
      text: string,
      account: string,
      work: (options: ReturnType<typeof bench.optionsWith>) => Promise<unknown>,
    ): Promise<void> {
      const proxy = await holdProxy(() => connect(bench.target.server.port, "127.0.0.1"));
      onTestFinished(() => proxy.close());
      proxy.holdAt(text);
      const working = work(bench.optionsWith({ port: proxy.port, tls: { mode: "disable" } }));
      await expect.poll(() => proxy.waiting().length, { timeout: 10_000 }).toBe(1);
      await sql(`ALTER USER ?@'%' ${what}`, [account, "Aa1-by-hand"]);
      await proxy.release();
      await working;
    }

    it("a change keeps the published password beside the new one", async () => {
      const keep = await newAccount();
      const next = withNewSecret(keep);
      await disturbed("RETAIN", keep.account, async (options) => {
        expect(await bench.apply(next, bench.admin(), { keep, options })).toMatchObject({
          kept: true,
        });
      });
      expect([await works(keep), await works(next)]).toEqual([true, true]);
    });

    it("a discard keeps the published password, and no other one", async () => {
      const old = await newAccount();
      const keep = withNewSecret(old);
      await bench.apply(keep, bench.admin(), { keep: old });
      await disturbed("DISCARD", keep.account, (options) =>
        bench.discard(keep, bench.admin(), options),
      );
      expect([await works(old), await works(keep)]).toEqual([false, true]);
      expect(await bench.target.logsIn(keep.account, "Aa1-by-hand")).toBe(false);
    });
  },
);
