import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { RotatorSteps } from "../rotator-steps.ts";

/** Accounts beside the one that is changed: an unrelated one, two with almost the same name, and the one without rights. */
export async function watchOthers<Options>(
  { fixture, newAccount, works }: RotatorSteps<Options>,
  { account }: Credential,
): Promise<{ expectUnchanged(): Promise<void> }> {
  const { powerless } = fixture;
  const others = [
    await newAccount(),
    await newAccount(`${account}0`),
    await newAccount(account.slice(0, -1)),
    // Some systems store who makes changes in another place than the accounts.
    ...(powerless && (await works(powerless)) ? [powerless] : []),
  ];
  const before = await fixture.snapshot();
  return {
    async expectUnchanged() {
      expectOneChange(before, await fixture.snapshot());
      for (const other of others) expect(await works(other), other.account).toBe(true);
    },
  };
}

/** If the snapshot is a list of accounts: exactly one entry differs. */
function expectOneChange(before: unknown, after: unknown): void {
  if (!Array.isArray(before) || !Array.isArray(after)) return;
  expect(after, "entries of the snapshot").toHaveLength(before.length);
  const changed: unknown[] = after.filter(
    (entry) => !before.some((one) => isDeepStrictEqual(one, entry)),
  );
  expect(changed.length, "entries of the snapshot that differ").toBe(1);
}
