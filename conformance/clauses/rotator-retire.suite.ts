import { expect, it } from "vitest";
import { ChangeRefusedError } from "../../shared/core/errors.ts";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import type { Subject } from "../rotator-fixture.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";
import { watchOthers } from "./others.ts";

/** The rules for making the secret of an account useless. */
export function testRetire<Options>(steps: RotatorSteps<Options>, subject: Subject<Options>): void {
  const { newAccount, using, withSecret, apply, verify, retire, works, failsAs } = steps;
  const asAdmin = (credential: Credential): Using => ({ as: "admin", credential });
  const anyAdmin = () => asAdmin(required(steps.fixture.admin, "admin"));

  it("retires an account, also repeatedly, and no other one", async () => {
    const current = await newAccount();
    const others = await watchOthers(steps, current);
    for (let time = 1; time <= 2; time++) {
      await retire(current, anyAdmin());
      expect(await works(current)).toBe(false);
    }
    expect(await verify(current)).toBe("rejected");
    await others.expectUnchanged();
  });

  it("gives a retired account a secret again", async () => {
    const current = await newAccount();
    const traits = await steps.fixture.traits?.(current.account);
    await retire(current, anyAdmin());
    const next = withSecret(current);
    await apply(next, anyAdmin());
    expect(await works(next)).toBe(true);
    expect(await verify(next)).toBe("accepted");
    expect(await steps.fixture.traits?.(current.account), "traits").toEqual(traits);
  });

  if (subject.authorities.includes("self")) {
    it("does not let an account retire itself", async () => {
      const current = await newAccount();
      await failsAs(ChangeRefusedError, retire(current, using("self", current)));
      expect(await works(current)).toBe(true);
    });
  }
}
