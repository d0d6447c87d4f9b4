import { describe, expect, it } from "vitest";
import { AuthorityRefusedError, ChangeRefusedError } from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { awkwardNames, awkwardSecrets, dotNames, has, type Subject } from "../rotator-fixture.ts";
import { required, type RotatorSteps } from "../rotator-steps.ts";
import { watchOthers } from "./others.ts";

/** The rules for a change of the secret: what it does, what it leaves alone, and who may make it. */
export function testChange<Options>(steps: RotatorSteps<Options>, subject: Subject<Options>): void {
  const { fresh, newAccount, using, withSecret, apply, verify, works, failsAs, replaces } = steps;

  describe.each(subject.authorities)("with the authority of %s", (as) => {
    it("changes the secret: the new one logs in, the old one no longer does", async () => {
      const current = await newAccount();
      const traits = await steps.fixture.traits?.(current.account);
      await replaces(current, withSecret(current), using(as, current));
      expect(await steps.fixture.traits?.(current.account), "traits").toEqual(traits);
    });

    it("does no harm when the same change is made again", async () => {
      const current = await newAccount();
      const next = withSecret(current);
      await apply(next, using(as, current));
      await apply(next, using(as, next));
      expect(await works(next)).toBe(true);
      expect(await works(current)).toBe(false);
    });

    it.each(subject.awkwardSecrets ?? awkwardSecrets)(
      "sets the awkward secret %j",
      async (secret) => {
        const current = await newAccount();
        const next = withSecret(current, secret);
        await replaces(current, next, using(as, current));
        expect(await verify(next)).toBe("accepted");
      },
    );

    if (subject.onlyAccount === undefined) {
      it("leaves every other account alone", async () => {
        const current = await newAccount();
        const others = await watchOthers(steps, current);
        await apply(withSecret(current), using(as, current));
        await others.expectUnchanged();
      });

      it.each(subject.awkwardNames ?? awkwardNames)(
        "changes the account named %j",
        async (awkward) => {
          const bystander = await newAccount("bystander");
          const current = await newAccount(awkward);
          expect(await verify(current)).toBe("accepted");
          await replaces(current, withSecret(current), using(as, current));
          expect(await works(bystander)).toBe(true);
        },
      );
    }
  });

  if (subject.onlyAccount === undefined) {
    it.each(dotNames)("changes the account named %j, or refuses the name", async (name) => {
      const { rotator, options } = steps.fixture.aimed;
      if (rotator.findUnfitAccount?.(name, options) !== undefined) return;
      const current = await newAccount(name);
      await replaces(current, withSecret(current), steps.anyAuthority(current));
    });
  }

  if (subject.authorities.includes("self")) {
    it("is refused when the account's own secret is not the valid one", async () => {
      const current = await newAccount();
      const wrong: Using = { as: "self", credential: withSecret(current) };
      await failsAs(AuthorityRefusedError, apply(withSecret(current), wrong));
      expect(await works(current)).toBe(true);
    });
  }

  if (subject.authorities.includes("admin")) {
    const asAdmin = (credential: Credential): Using => ({ as: "admin", credential });
    const anyAdmin = () => asAdmin(required(steps.fixture.admin, "admin"));

    it("is refused for an account that does not exist", async () => {
      const before = await steps.fixture.snapshot();
      const next = { account: "nobody_here", secret: new Secret(fresh()) };
      await failsAs(ChangeRefusedError, apply(next, anyAdmin()));
      expect(await steps.fixture.snapshot()).toEqual(before);
    });

    it("is refused when the admin lacks the right, and names the admin and the account", async () => {
      const current = await newAccount();
      const powerless = required(steps.fixture.powerless, "powerless");
      const before = await steps.fixture.snapshot();
      const change = apply(withSecret(current), asAdmin(powerless));
      const { message } = await failsAs(ChangeRefusedError, change);
      expect(message).toContain(powerless.account);
      expect(message).toContain(current.account);
      expect(await steps.fixture.snapshot()).toEqual(before);
    });

    it("says when the target refuses the secret of the admin", async () => {
      const current = await newAccount();
      const wrong = asAdmin(withSecret(required(steps.fixture.admin, "admin")));
      await failsAs(AuthorityRefusedError, apply(withSecret(current), wrong));
      if (has(subject, "retire")) {
        await failsAs(AuthorityRefusedError, steps.retire(current, wrong));
      }
      if (subject.seesSessions === true) {
        await failsAs(AuthorityRefusedError, steps.isInUse(current, wrong));
      }
      expect(await works(current)).toBe(true);
    });
  }
}
