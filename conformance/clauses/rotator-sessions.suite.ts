import { describe, expect, it } from "vitest";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { RotatorSteps } from "../rotator-steps.ts";

const patience = { timeout: 10_000 };

/** The rules for a rotator that can find out whether a client is logged in as an account. The plain client logs in. */
export function testSessions<Options>(
  steps: RotatorSteps<Options>,
  awkwardNames: readonly string[],
): void {
  const { newAccount, withSecret, verify, isInUse, stay } = steps;
  const look = (account: Credential) => isInUse(account, steps.using("admin", account));

  describe("whether an account is in use", () => {
    it("is seen as long as an idle client is logged in", async () => {
      const current = await newAccount();
      expect(await look(current)).toBe(false);
      const leave = await stay(current);
      expect(await look(current)).toBe(true);
      expect(await look(current)).toBe(true);
      await leave();
      await expect.poll(() => look(current), patience).toBe(false);
    });

    it("is seen for a client that logged in before the change of the secret", async () => {
      const current = await newAccount();
      const leave = await stay(current);
      await steps.retire(current, steps.using("admin", current));
      expect(await look(current)).toBe(true);
      await leave();
    });

    it("stays true when some clients leave and one stays", async () => {
      const current = await newAccount();
      const [leaveFirst, leaveLast] = [await stay(current), await stay(current)];
      await leaveFirst();
      expect(await look(current)).toBe(true);
      await leaveLast();
      await expect.poll(() => look(current), patience).toBe(false);
    });

    it("does not depend on other accounts", async () => {
      const [current, other] = [await newAccount(), await newAccount()];
      const leave = await stay(other);
      expect(await look(current)).toBe(false);
      await leave();
    });

    it("does not count log-ins of Keyturn", async () => {
      const current = await newAccount();
      expect(await verify(current)).toBe("accepted");
      await expect.poll(() => look(current), patience).toBe(false);
    });

    it("is false for an account that does not exist", async () => {
      const nobody = { account: "nobody_here", secret: withSecret(await newAccount()).secret };
      expect(await look(nobody)).toBe(false);
    });

    it.each(awkwardNames)("is seen for the account named %j", async (awkward) => {
      const current = await newAccount(awkward);
      expect(await look(current)).toBe(false);
      const leave = await stay(current);
      expect(await look(current)).toBe(true);
      await leave();
    });

    it("changes nothing by being asked", async () => {
      const current = await newAccount();
      const before = await steps.fixture.snapshot();
      await look(current);
      expect(await steps.fixture.snapshot()).toEqual(before);
    });
  });
}
