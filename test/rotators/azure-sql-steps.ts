import { inspect } from "node:util";
import { afterEach, expect } from "vitest";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { type AzureSqlBench, startAzureSqlBench } from "../contract/rotators/azure-sql-bench.ts";
import { toKey } from "../doubles/tds/model.ts";
import type { TdsDoubleOptions, TdsEdition } from "../doubles/tds/server.ts";

const open: AzureSqlBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.tds.inspection.connections.open).toBe(0);
    await bench.close();
  }
});

export async function startBench(
  edition?: TdsEdition,
  options?: TdsDoubleOptions,
): Promise<AzureSqlBench> {
  const bench = await startAzureSqlBench(edition, options);
  open.push(bench);
  return bench;
}

export const first = "First~secret-1";
export const second = "Second~secret-2";
export const patience = () => AbortSignal.timeout(20_000);
export const asAdmin = ({ admin }: AzureSqlBench): Using => ({ as: "admin", credential: admin });
export const credential = (account: string, secret: string): Credential => ({
  account,
  secret: new Secret(secret),
});

interface Changed {
  readonly options?: object;
  readonly using?: Using;
  readonly note?: (sentence: string) => void;
}

export const apply = (
  bench: AzureSqlBench,
  account: string,
  { options, using, ...rest }: Changed = {},
) =>
  azureSql.apply(
    {
      options: bench.optionsWith(options),
      next: credential(account, second),
      using: using ?? asAdmin(bench),
      ...rest,
    },
    patience(),
  );

export const verify = (
  bench: AzureSqlBench,
  account: string,
  secret: string,
  { options, note = () => undefined }: Pick<Changed, "options" | "note"> = {},
) =>
  azureSql.verify(
    { options: bench.optionsWith(options), credential: credential(account, secret), note },
    patience(),
  );

export async function examine(bench: AzureSqlBench, account: string, changed: Changed = {}) {
  const call = toCall(bench, account, changed);
  const found = await azureSql.examine?.({ ...call, isProven: false }, patience());
  if (found === undefined || found === "rejected") throw new Error("no examination");
  return found;
}

const toCall = (bench: AzureSqlBench, account: string, { options, using }: Changed) => ({
  options: bench.optionsWith(options),
  account,
  using: using ?? asAdmin(bench),
});

export const isInUse = (
  bench: AzureSqlBench,
  account: string,
  changed: Changed = {},
  signal = patience(),
) => azureSql.hasSessions?.(toCall(bench, account, changed), signal);

export const retire = (bench: AzureSqlBench, account: string, changed: Changed = {}) =>
  azureSql.retire?.(toCall(bench, account, changed), patience());

export async function failure(work: Promise<unknown> | undefined): Promise<Error> {
  const error: unknown = await work?.then(
    (value) => `it did not fail: ${String(value)}`,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(String(error));
  const text = inspect(error, { depth: 10, showHidden: true });
  for (const secret of [first, second]) expect(text).not.toContain(secret);
  return error;
}

export const loginOf = ({ tds }: AzureSqlBench, name: string) =>
  tds.inspection.world.logins.get(toKey(name));
