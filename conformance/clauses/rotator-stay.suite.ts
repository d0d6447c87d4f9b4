import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuthorityRefusedError } from "../../shared/core/errors.ts";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { type CutProxy, cutProxy } from "../faults/cut-proxy.ts";
import type { Aimed, Subject } from "../rotator-fixture.ts";
import { type Called, required, type RotatorSteps } from "../rotator-steps.ts";

/** The rules for a rotator whose authority can stay logged in from one call to the next. */
export function testStaying<Options>(
  steps: RotatorSteps<Options>,
  { authorities, logInsOfAuthority = 1 }: Subject<Options>,
): void {
  const { newAccount, withSecret, apply, examine, verify, retire, works, failsAs } = steps;

  describe("a log-in that may stay", () => {
    let line: CutProxy;
    let aimed: Aimed<Options>;
    beforeAll(async () => {
      const { fixture } = steps;
      const passing = async () => {
        const proxy = await cutProxy(fixture.endpoint.port);
        return { proxy, aimed: fixture.elsewhere(proxy.port) };
      };
      ({ proxy: line, aimed } = await (fixture.line ?? passing)());
    });
    afterAll(async () => {
      await line.close();
    });

    /** The target with separate options, so that no other test has left a session for it. */
    const staying = (): Called<Options> => ({ ...aimed, mayStay: true });
    const adminCredential = () => required(steps.fixture.admin, "admin");
    const admin = (): Using => ({ as: "admin", credential: adminCredential() });

    async function countLogIns(work: () => Promise<void>): Promise<number> {
      const before = await steps.fixture.logIns();
      await work();
      return (await steps.fixture.logIns()) - before;
    }

    /** Changes, proves and closes the session, so that the next test begins without one. */
    async function change(current: Credential, by: Using): Promise<void> {
      const next = withSecret(current);
      await apply(next, by, staying());
      line.hangUp();
      expect(await works(next)).toBe(true);
    }

    if (authorities.includes("admin")) {
      it("is used to examine and change several accounts", async () => {
        const accounts = [await newAccount(), await newAccount()];
        const count = await countLogIns(async () => {
          for (const account of accounts) {
            expect(await examine(account, admin(), { aimed: staying() })).not.toBe("rejected");
            await apply(withSecret(account), admin(), staying());
            await retire(account, admin(), staying());
          }
        });
        expect(count).toBe(logInsOfAuthority);
        line.hangUp();
      });

      it("is made again when the server has ended it meanwhile", async () => {
        const current = await newAccount();
        await examine(current, admin(), { aimed: staying() });
        line.hangUp();
        await change(current, admin());
      });

      it("is not used for a call with another secret", async () => {
        const current = await newAccount();
        await examine(current, admin(), { aimed: staying() });
        const wrong: Using = { as: "admin", credential: withSecret(adminCredential()) };
        expect(await examine(current, wrong, { aimed: staying() })).toBe("rejected");
        await failsAs(AuthorityRefusedError, apply(withSecret(current), wrong, staying()));
        await change(current, admin());
      });

      it("ends when the signal of a call that uses it fires", async () => {
        const current = await newAccount();
        await examine(current, admin(), { aimed: staying() });
        const fired = AbortSignal.abort();
        await expect(apply(withSecret(current), admin(), staying(), fired)).rejects.toThrow();
        expect(await works(current)).toBe(true);
        await expect.poll(() => steps.fixture.openConnections(), { timeout: 2_000 }).toBe(0);
      });

      it("is not used by a call without mayStay, and ends by itself", async () => {
        const current = await newAccount();
        await examine(current, admin(), { aimed: staying() });
        const count = await countLogIns(async () => {
          await examine(current, admin());
        });
        expect(count).toBe(logInsOfAuthority);
        expect(await steps.fixture.openConnections()).toBeGreaterThan(0);
      });
    }

    if (authorities.includes("self")) {
      it("may be the one that proved the account's own secret", async () => {
        const current = await newAccount();
        const count = await countLogIns(async () => {
          expect(await verify(current, staying())).toBe("accepted");
          await apply(withSecret(current), { as: "self", credential: current }, staying());
        });
        expect(count).toBe(logInsOfAuthority);
        line.hangUp();
      });

      it("proves the secret of an account, examines it and changes it, and ends with the change", async () => {
        const current = await newAccount();
        const own: Using = { as: "self", credential: current };
        const count = await countLogIns(async () => {
          expect(await verify(current, staying())).toBe("accepted");
          const answer = await examine(current, own, { aimed: staying(), isProven: true });
          expect(answer).not.toBe("rejected");
          await apply(withSecret(current), own, { ...staying(), isLast: true });
        });
        expect(count).toBe(logInsOfAuthority);
        await expect.poll(() => steps.fixture.openConnections(), { timeout: 2_000 }).toBe(0);
      });

      it("ends with an examination that is the last call", async () => {
        const current = await newAccount();
        const own: Using = { as: "self", credential: current };
        const count = await countLogIns(async () => {
          expect(await verify(current, staying())).toBe("accepted");
          await examine(current, own, { aimed: { ...staying(), isLast: true }, isProven: true });
        });
        expect(count).toBe(logInsOfAuthority);
        await expect.poll(() => steps.fixture.openConnections(), { timeout: 2_000 }).toBe(0);
      });

      it("never proves a secret", async () => {
        const current = await newAccount();
        const count = await countLogIns(async () => {
          for (let time = 1; time <= 3; time++) await verify(current, staying());
        });
        expect(count).toBe(3);
        line.hangUp();
      });
    }
  });
}
