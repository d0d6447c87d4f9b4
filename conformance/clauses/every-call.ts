import { expect } from "vitest";
import { has, type Subject } from "../rotator-fixture.ts";
import type { Called, RotatorSteps } from "../rotator-steps.ts";

/** Checks every call of the contract, aimed at the same place. None of them changes the account. */
export async function everyCall<Options>(
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
  at: () => Called<Options>,
  check: (call: Promise<unknown>) => Promise<void>,
  signal = () => AbortSignal.timeout(20_000),
): Promise<void> {
  const { newAccount, using, anyAuthority, withSecret, works } = steps;
  const { apply, verify, retire, examine, isInUse } = steps;
  const current = await newAccount();
  const authority = anyAuthority(current);
  await check(apply(withSecret(current), authority, at(), signal()));
  await check(verify(current, at(), signal()));
  if (has(subject, "examine")) {
    await check(examine(current, authority, { aimed: at(), signal: signal() }));
  }
  if (has(subject, "retire")) {
    await check(retire(current, using("admin", current), at(), signal()));
  }
  if (subject.seesSessions === true) {
    await check(isInUse(current, using("admin", current), at(), signal()));
  }
  expect(await works(current)).toBe(true);
}
