import { expect, it } from "vitest";
import { ConfigError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { has, type Subject } from "../rotator-fixture.ts";
import type { RotatorSteps } from "../rotator-steps.ts";

/** The rules for a proof by a log-in. */
export function testVerify<Options>(steps: RotatorSteps<Options>, subject: Subject<Options>): void {
  const { fresh, newAccount, anyAuthority, withSecret, apply, verify, examine, failsAs } = steps;

  it("accepts the secret that is valid and rejects any other", async () => {
    const current = await newAccount();
    expect(await verify(current)).toBe("accepted");
    expect(await verify(withSecret(current))).toBe("rejected");
  });

  it("rejects an account that does not exist", async () => {
    const nobody = { account: "nobody_here", secret: new Secret(fresh()) };
    if (subject.refusesNames === true) await failsAs(ConfigError, verify(nobody));
    else expect(await verify(nobody)).toBe("rejected");
  });

  it("changes nothing", async () => {
    const current = await newAccount();
    const before = await steps.fixture.snapshot();
    await verify(current);
    await verify(withSecret(current));
    expect(await steps.fixture.snapshot()).toEqual(before);
  });

  it("sends nothing about an account whose name no account can have", async () => {
    const nobody = { account: "", secret: new Secret(fresh()) };
    const before = [await steps.fixture.snapshot(), await steps.fixture.logIns()];
    await failsAs(ConfigError, verify(nobody));
    await failsAs(ConfigError, apply(nobody, anyAuthority(nobody)));
    if (has(subject, "examine")) {
      await failsAs(ConfigError, examine(nobody, anyAuthority(nobody)));
    }
    expect([await steps.fixture.snapshot(), await steps.fixture.logIns()]).toEqual(before);
  });
}
