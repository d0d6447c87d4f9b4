import { expect, it } from "vitest";
import { ChangeRefusedError, OutcomeUnknownError } from "../../shared/core/errors.ts";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";
import { secretKeeper } from "../secret-keeper.ts";

/** The rules for a secret that the target does not take. */
export function testRefusal<Options>(steps: RotatorSteps<Options>): void {
  const { newAccount, anyAuthority, apply, works, failsAs } = steps;

  it("is refused when the target rejects the secret, and the old one stays valid", async () => {
    const unacceptable = required(steps.fixture.unacceptable, "unacceptable");
    const current = await newAccount(unacceptable.account);
    const error = await failsAs(ChangeRefusedError, apply(unacceptable, anyAuthority(current)));
    expectNoTrace(unacceptable, error);
    expect(await works(current)).toBe(true);
  });
}

/** A name that contains the secret may be in the error. */
function expectNoTrace({ account, secret }: Credential, error: Error): void {
  if (account.includes(secret.reveal())) return;
  const keeper = secretKeeper(() => secret.reveal());
  keeper.keep();
  keeper.expectNoneIn(error);
}

/** The rules for a change whose reply is lost. */
export function testLostReply<Options>(steps: RotatorSteps<Options>): void {
  const { newAccount, anyAuthority, withSecret, apply, works, failsAs } = steps;

  it("does not know the outcome when the reply to the change is lost", async () => {
    const current = await newAccount();
    const next = withSecret(current);
    const lossy = await required(steps.fixture.loseReply?.(), "loseReply");
    await failsAs(OutcomeUnknownError, apply(next, anyAuthority(current), lossy));
    expect([await works(current), await works(next)].toSorted()).toEqual([false, true]);
  });
}
