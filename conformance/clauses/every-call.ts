import { expect } from "vitest";
import { has, type Subject } from "../rotator-fixture.ts";
import type { Called, RotatorSteps } from "../rotator-steps.ts";

/** Checks every call of the contract, aimed at the same place. None of them changes the account. */
export async function everyCall<Options>(
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
  aim: { readonly at: () => Called<Options>; readonly signal?: () => AbortSignal },
  check: (call: Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { at, signal = () => AbortSignal.timeout(20_000) } = aim;
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
