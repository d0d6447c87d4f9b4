import { describe, expect, it } from "vitest";
import { AccountBlockedError, ConfigError } from "../../shared/core/errors.ts";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import type { Examination, Using } from "../../shared/rotators/rotator.ts";
import { awkwardNames, type Subject } from "../rotator-fixture.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";

/** The rules of an examination: what a rotator can report about an account and its authority without a change. */
export function testExamination<Options>(
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
): void {
  const { newAccount, withSecret, using, anyAuthority, examine, verify, apply, failsAs, works } =
    steps;
  const asAdmin = (credential: Credential): Using => ({ as: "admin", credential });
  const admin = () => required(steps.fixture.admin, "admin");
  const healthy = { obstacles: [], right: { is: subject.right ?? "proven" } };
  /** What an examination says apart from a gap, which only a system with overlap may report. */
  function withoutGap({ gap, ...rest }: Examination): Omit<Examination, "gap"> {
    if (!steps.fixture.aimed.rotator.overlaps) expect(gap).toBeUndefined();
    return rest;
  }

  /** An examination that must have a result. */
  async function answered(account: Credential, by: Using, isProven = false) {
    const answer = await examine(account, by, { isProven });
    if (answer === "rejected") throw new Error("the authority was refused");
    return answer;
  }

  describe.each(subject.authorities)("an examination with the authority of %s", (as) => {
    it.each([false, true])("finds no problem when isProven is %s", async (isProven) => {
      const current = await newAccount();
      expect(withoutGap(await answered(current, using(as, current), isProven))).toEqual(healthy);
    });

    it("takes one log-in of the authority at most, and changes nothing", async () => {
      const current = await newAccount();
      const before = [await steps.fixture.snapshot(), await steps.fixture.logIns()] as const;
      await answered(current, using(as, current));
      expect(await steps.fixture.snapshot()).toEqual(before[0]);
      const isAtAzure = as === "identity" && steps.fixture.identity === undefined;
      const expected = isAtAzure ? 0 : (subject.logInsOfAuthority ?? 1);
      expect((await steps.fixture.logIns()) - before[1]).toBe(expected);
    });

    if (as !== "identity") {
      it("says when the target refuses the authority's secret", async () => {
        const current = await newAccount();
        const wrong = withSecret(as === "self" ? current : admin());
        expect(await examine(current, { as, credential: wrong })).toBe("rejected");
      });
    }
  });

  if (subject.authorities.includes("self")) {
    it("an account without rights examines itself and its twin, and then changes itself", async () => {
      const [current, twin] = [await newAccount(), await newAccount()];
      const own = using("self", current);
      const before = await steps.fixture.snapshot();
      const answer = await examine(current, own, { isProven: true, twin });
      if (answer === "rejected") throw new Error("the account was refused");
      expect(withoutGap(answer)).toEqual(healthy);
      expect(await steps.fixture.snapshot()).toEqual(before);
      await steps.replaces(current, withSecret(current), own);
      expect(await works(twin)).toBe(true);
    });
  }

  if (subject.authorities.includes("admin")) {
    const powerless = () => required(steps.fixture.powerless, "powerless");

    it.each([false, true])(
      "an examination names the admin that lacks the right, and the account, when isProven is %s",
      async (isProven) => {
        const current = await newAccount();
        const { right } = await answered(current, asAdmin(powerless()), isProven);
        if (right.is !== "missing") throw new Error(`the right is ${right.is}`);
        expect(right.why).toContain(powerless().account);
        expect(right.why).toContain(current.account);
      },
    );

    it("an examination of a missing account says that it does not exist", async () => {
      const { secret } = withSecret(await newAccount());
      const nobody = { account: "nobody_here", secret };
      const { obstacles } = await answered(nobody, asAdmin(admin()));
      expect(obstacles).toHaveLength(1);
      expect(obstacles[0]).toContain("nobody_here");
    });

    it.each(subject.awkwardNames ?? awkwardNames)(
      "an examination understands the name %j",
      async (awkward) => {
        const current = await newAccount(awkward);
        expect(withoutGap(await answered(current, asAdmin(admin())))).toEqual(healthy);
      },
    );
  }

  if (subject.blocks !== undefined) {
    const block = ({ account }: Credential) => required(steps.fixture.block?.(account), "block");

    it("an examination names what blocks the log-in of an account, unless it has just logged in", async () => {
      const current = await newAccount();
      const unblock = await block(current);
      const { obstacles } = await answered(current, asAdmin(admin()));
      expect(obstacles).toHaveLength(1);
      expect(obstacles[0]).toContain(current.account);
      expect(withoutGap(await answered(current, asAdmin(admin()), true))).toEqual(healthy);
      await unblock();
      expect(withoutGap(await answered(current, asAdmin(admin())))).toEqual(healthy);
    });

    if (subject.blocks === "named") {
      it("a log-in as a blocked account proves nothing about the secret", async () => {
        const current = await newAccount();
        const unblock = await block(current);
        await failsAs(AccountBlockedError, verify(current));
        await unblock();
        expect(await verify(current)).toBe("accepted");
      });
    }
  }

  if (subject.trusts === true) {
    const trust = ({ account }: Credential) => required(steps.fixture.trust?.(account), "trust");

    it("a log-in without a request for the secret proves nothing", async () => {
      const current = await newAccount();
      const undo = await trust(current);
      const errors = [
        await failsAs(ConfigError, verify(current)),
        await failsAs(ConfigError, verify(withSecret(current))),
        await failsAs(ConfigError, examine(current, anyAuthority(current))),
        await failsAs(ConfigError, examine(current, asAdmin(admin()))),
      ];
      for (const { message } of errors) expect(message).toContain(current.account);
      await undo();
      expect(await verify(current)).toBe("accepted");
    });

    it("an authority that logs in without its secret changes nothing", async () => {
      const current = await newAccount();
      const undo = await trust(admin());
      await failsAs(ConfigError, examine(current, asAdmin(admin()), { isProven: true }));
      await failsAs(ConfigError, apply(withSecret(current), asAdmin(admin())));
      await failsAs(ConfigError, steps.retire(current, asAdmin(admin())));
      await undo();
      expect(await works(current)).toBe(true);
    });
  }
}
