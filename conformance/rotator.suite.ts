import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../shared/core/errors.ts";
import { type Credential, Secret } from "../shared/core/secrets/secret.ts";
import type { Using } from "../shared/rotators/rotator.ts";
import { testExamination } from "./clauses/rotator-examine.suite.ts";
import { testOverlap } from "./clauses/rotator-overlap.suite.ts";
import { testSessions } from "./clauses/rotator-sessions.suite.ts";
import { testStaying } from "./clauses/rotator-stay.suite.ts";
import { listen, type Listening } from "./faults/listening.ts";
import { awkwardNames, awkwardSecrets, type Subject } from "./rotator-fixture.ts";
import { type Called, required, rotatorSteps } from "./rotator-steps.ts";

const patience = () => AbortSignal.timeout(20_000);

/** One suite for every rotator. It checks results from outside, with log-ins of the plain client. */
export function testRotator<Options>(name: string, subject: Subject<Options>): void {
  describe(`the rotator ${name}`, () => {
    const steps = rotatorSteps(subject);
    const { fresh, newAccount, using, anyAuthority, withSecret } = steps;
    const { apply, verify, retire, examine, isInUse, works, failsAs, replaces } = steps;

    it("says what it can do, and where its target is", () => {
      const { rotator, options } = steps.fixture.aimed;
      expect(rotator.capabilities.selfService).toBe(subject.authorities.includes("self"));
      expect(rotator.capabilities.identity).toBe(
        subject.authorities.includes("identity") || subject.lacksTokens === true,
      );
      expect(rotator.endpoint(options)).toEqual(steps.fixture.endpoint);
    });

    it("accepts its own options and no unknown ones", () => {
      const { rotator, options } = steps.fixture.aimed;
      expect(rotator.options.parse(options)).toEqual(options);
      expect(rotator.options.safeParse({ ...options, surprise: 1 }).success).toBe(false);
      expect(rotator.options.safeParse({}).success).toBe(false);
    });

    describe.each(subject.authorities)("with the authority of %s", (as) => {
      it("changes the secret: the new one logs in, the old one no longer does", async () => {
        const current = await newAccount();
        await replaces(current, withSecret(current), using(as, current));
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
          const [current, bystander] = [await newAccount(), await newAccount()];
          await replaces(current, withSecret(current), using(as, current));
          expect(await works(bystander)).toBe(true);
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

    describe("verify", () => {
      it("accepts the secret that is valid and rejects any other", async () => {
        const current = await newAccount();
        expect(await verify(current)).toBe("accepted");
        expect(await verify(withSecret(current))).toBe("rejected");
      });

      it("rejects an account that does not exist", async () => {
        expect(await verify({ account: "nobody_here", secret: new Secret(fresh()) })).toBe(
          "rejected",
        );
      });

      it("changes nothing", async () => {
        const current = await newAccount();
        const before = await steps.fixture.snapshot();
        await verify(current);
        await verify(withSecret(current));
        expect(await steps.fixture.snapshot()).toEqual(before);
      });
    });

    if (subject.authorities.includes("self")) {
      it("is refused when the account's own secret is not the valid one", async () => {
        const current = await newAccount();
        const wrong: Using = { as: "self", credential: withSecret(current) };
        await failsAs(AuthorityRefusedError, apply(withSecret(current), wrong));
        expect(await works(current)).toBe(true);
      });
    }

    if (subject.authorities.includes("self") && subject.authorities.includes("admin")) {
      it("does not let an account retire itself", async () => {
        const current = await newAccount();
        await failsAs(ChangeRefusedError, retire(current, using("self", current)));
        expect(await works(current)).toBe(true);
      });
    }

    it("sends nothing about an account whose name no account can have", async () => {
      const nobody = { account: "", secret: new Secret(fresh()) };
      const before = [await steps.fixture.snapshot(), await steps.fixture.logIns()];
      await failsAs(ConfigError, verify(nobody));
      await failsAs(ConfigError, apply(nobody, anyAuthority(nobody)));
      await failsAs(ConfigError, examine(nobody, anyAuthority(nobody)));
      expect([await steps.fixture.snapshot(), await steps.fixture.logIns()]).toEqual(before);
    });

    if (subject.authorities.includes("admin")) {
      const asAdmin = (credential: Credential): Using => ({ as: "admin", credential });
      const anyAdmin = () => asAdmin(required(steps.fixture.admin, "admin"));

      it("is refused for an account that does not exist", async () => {
        const before = await steps.fixture.snapshot();
        const next = { account: "nobody_here", secret: new Secret(fresh()) };
        await failsAs(ChangeRefusedError, apply(next, anyAdmin()));
        expect(await steps.fixture.snapshot()).toEqual(before);
      });

      it("is refused when the admin lacks the right", async () => {
        const current = await newAccount();
        const powerless = required(steps.fixture.powerless, "powerless");
        const before = await steps.fixture.snapshot();
        await failsAs(ChangeRefusedError, apply(withSecret(current), asAdmin(powerless)));
        expect(await steps.fixture.snapshot()).toEqual(before);
      });

      it("retires an account, also repeatedly, and no other one", async () => {
        const [current, bystander] = [await newAccount(), await newAccount()];
        for (let time = 1; time <= 2; time++) {
          await retire(current, anyAdmin());
          expect(await works(current)).toBe(false);
        }
        expect(await verify(current)).toBe("rejected");
        expect(await works(bystander)).toBe(true);
      });

      it("gives a retired account a secret again", async () => {
        const current = await newAccount();
        await retire(current, anyAdmin());
        const next = withSecret(current);
        await apply(next, anyAdmin());
        expect(await works(next)).toBe(true);
        expect(await verify(next)).toBe("accepted");
      });
    }

    if (subject.refuses === true) {
      it("is refused when the target rejects the secret, and the old one stays valid", async () => {
        const unacceptable = required(steps.fixture.unacceptable, "unacceptable");
        const current = await newAccount(unacceptable.account);
        const change = apply(unacceptable, anyAuthority(current));
        await expect(change).rejects.toBeInstanceOf(ChangeRefusedError);
        expect(await works(current)).toBe(true);
      });
    }

    if (subject.losesReplies === true) {
      it("does not know the outcome when the reply to the change is lost", async () => {
        const current = await newAccount();
        const next = withSecret(current);
        const lossy = await required(steps.fixture.loseReply?.(), "loseReply");
        await failsAs(OutcomeUnknownError, apply(next, anyAuthority(current), lossy));
        expect([await works(current), await works(next)].toSorted()).toEqual([false, true]);
      });
    }

    testExamination(steps, subject);

    if (subject.overlaps === true) testOverlap(steps, subject);

    if (subject.stays === true) testStaying(steps, subject);

    if (subject.seesSessions === true) testSessions(steps, subject.awkwardNames ?? awkwardNames);

    describe("when the target cannot be reached", () => {
      let silent: Listening;
      let arrived = Promise.withResolvers<Socket>();

      beforeAll(async () => {
        silent = await listen(
          createServer((socket) => {
            socket.resume();
            arrived.resolve(socket);
          }),
        );
      });
      afterAll(async () => {
        await silent.close();
      });

      /** Every call of the contract, aimed at the same place. */
      async function each(
        at: () => Called<Options>,
        signal: () => AbortSignal,
        check: (call: Promise<unknown>) => Promise<void>,
      ): Promise<void> {
        const current = await newAccount();
        const authority = anyAuthority(current);
        await check(apply(withSecret(current), authority, at(), signal()));
        await check(verify(current, at(), signal()));
        await check(examine(current, authority, { aimed: at(), signal: signal() }));
        if (subject.authorities.includes("admin")) {
          await check(retire(current, using("admin", current), at(), signal()));
        }
        if (subject.seesSessions === true) {
          await check(isInUse(current, using("admin", current), at(), signal()));
        }
        expect(await works(current)).toBe(true);
      }

      const isUnavailable = async (call: Promise<unknown>) => {
        await failsAs(TargetUnavailableError, call);
      };

      it("says so when the host refused the connection", async () => {
        const closed = await listen(createServer());
        await closed.close();
        await each(() => steps.fixture.elsewhere(closed.port), patience, isUnavailable);
      });

      it("stops waiting for a silent host when the signal fires, and closes the connection", async () => {
        function whenConnected(): AbortSignal {
          const controller = new AbortController();
          arrived = Promise.withResolvers();
          void arrived.promise.then(() => {
            controller.abort();
          });
          return controller.signal;
        }
        await each(() => steps.fixture.elsewhere(silent.port), whenConnected, isUnavailable);
        await expect.poll(() => silent.connections.open, { timeout: 10_000 }).toBe(0);
      });

      it("stops waiting for a silent host after the connection limit, and closes the connection", async () => {
        const never = new AbortController().signal;
        const hasty = { ...steps.fixture.elsewhere(silent.port), connectWithin: 50 };
        const isTooSlow = async (call: Promise<unknown>) => {
          await failsAs(TargetUnavailableError, call);
          await expect(call).rejects.toThrow("connecting timed out after 50ms");
        };
        const current = await newAccount();
        await isTooSlow(verify(current, hasty, never));
        // A change with the app's Azure identity may go to Azure, and make no connection to the target.
        const isAtAzure = steps.fixture.identity === undefined;
        if (!subject.authorities.includes("identity") || !isAtAzure) {
          const authority = anyAuthority(current);
          await isTooSlow(apply(withSecret(current), authority, hasty, never));
          await isTooSlow(examine(current, authority, { aimed: hasty, signal: never }));
        }
        if (subject.authorities.includes("admin")) {
          await isTooSlow(retire(current, using("admin", current), hasty, never));
        }
        if (subject.seesSessions === true) {
          await isTooSlow(isInUse(current, using("admin", current), hasty, never));
        }
        await expect.poll(() => silent.connections.open, { timeout: 10_000 }).toBe(0);
      });

      it("drops the connection limit once the connection is open", async () => {
        const current = await newAccount();
        const [set, clear] = [
          vi.spyOn(globalThis, "setTimeout"),
          vi.spyOn(globalThis, "clearTimeout"),
        ];
        const connectWithin = 3_600_000;
        expect(await verify(current, { ...steps.fixture.aimed, connectWithin })).toBe("accepted");
        const timer = set.mock.calls.findIndex(([, after]) => after === connectWithin);
        expect(timer).toBeGreaterThanOrEqual(0);
        expect(clear).toHaveBeenCalledWith(set.mock.results[timer]?.value);
      });

      it("sends nothing when the signal has already fired", async () => {
        const before = silent.connections.total;
        await each(
          () => steps.fixture.elsewhere(silent.port),
          () => AbortSignal.abort(),
          isUnavailable,
        );
        expect(silent.connections.total).toBe(before);
      });
    });
  });
}
