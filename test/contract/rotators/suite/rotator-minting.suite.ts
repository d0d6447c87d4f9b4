import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Aimed } from "../../../../conformance/rotator-fixture.ts";
import { required } from "../../../../conformance/rotator-steps.ts";
import { secretKeeper } from "../../../../conformance/secret-keeper.ts";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../../shared/core/secrets/secret.ts";
import type { Mint, Minted, Retire } from "../../../../shared/rotators/rotator.ts";
import {
  failingAs,
  type MintingFixture,
  type MintingSubject,
  publishedForms,
} from "./rotator-minting-fixture.ts";

const patience = () => AbortSignal.timeout(20_000);
const mark = { targetId: "orders", rotationId: "01HX0000000000000000000001" };

/** One suite for every rotator that has `mint`. It checks results from outside, with a plain client. */
export function testMinting<Options>(name: string, subject: MintingSubject<Options>): void {
  describe(`the rotator ${name}`, () => {
    const keeper = secretKeeper(() => "unused");
    const failsAs = failingAs(keeper);
    let fixture: MintingFixture<Options>;
    let held: readonly Credential[];

    beforeAll(async () => {
      fixture = await subject.start();
    });
    beforeEach(async () => {
      held = await fixture.reset();
      for (const { secret } of held) keeper.keep(secret.reveal());
    });
    afterEach(async () => {
      if (fixture.openConnections === undefined) return;
      await expect
        .poll(() => fixture.openConnections?.(), { interval: 2, timeout: 10_000 })
        .toBe(0);
    });
    afterAll(async () => {
      await fixture.stop();
    });

    /** The account whose secret is published, and the one that takes the next secret. */
    const turn = () => {
      const published = required(held[0], "a secret");
      const idle = subject.kind === "pair" ? required(held[1], "a second secret") : published;
      return { published, idle };
    };

    type Changed<Call> = Partial<Omit<Call, "options" | "using">> & {
      readonly aimed?: Aimed<Options>;
      readonly signal?: AbortSignal;
    };

    const send = (
      { rotator }: Aimed<Options>,
      call: Mint<Options>,
      signal = patience(),
    ): Promise<Minted> => required(rotator.mint?.(call, signal), "mint");

    async function mint({
      aimed = fixture.aimed,
      signal = patience(),
      ...changed
    }: Changed<Mint<Options>> = {}): Promise<Credential> {
      const { published, idle } = turn();
      const call: Mint<Options> = {
        ...{ options: aimed.options, using: fixture.using, mark, account: idle.account },
        ...{ published, publishedText: published.secret },
        ...changed,
      };
      const minted = await send(aimed, call, signal);
      keeper.keep(minted.credential.secret.reveal());
      return minted.credential;
    }

    async function end(
      superseded: Credential,
      published: Credential,
      changed: Changed<Retire<Options>> = {},
    ): Promise<void> {
      const { aimed = fixture.aimed, signal = patience(), ...more } = changed;
      const { rotator, options } = aimed;
      const call = { options, using: fixture.using };
      if (subject.kind === "overlapping") {
        const ids = superseded.secretId === undefined ? [] : [superseded.secretId];
        const ended = { targetId: mark.targetId, ids, superseded };
        await rotator.discard?.({ ...call, keep: published, ended, ...more }, signal);
        return;
      }
      const { account } = superseded;
      const retire = { ...call, account, superseded, publishedText: published.secret, ...more };
      await rotator.retire?.(retire, signal);
    }

    const verify = (credential: Credential, { rotator, options } = fixture.aimed) =>
      rotator.verify({ options, credential }, patience());

    /** Checks that the call fails so, sends nothing that creates or replaces a secret, and changes nothing. */
    async function sendsNothing(
      kind: abstract new (...args: never[]) => Error,
      make: () => Promise<unknown>,
    ): Promise<void> {
      const before = [fixture.snapshot(), fixture.creations()];
      await failsAs(kind, make());
      expect([fixture.snapshot(), fixture.creations()]).toEqual(before);
    }

    it("creates secrets, and sets none", () => {
      const { rotator, options } = fixture.aimed;
      expect(rotator.capabilities.identity).toBe(true);
      expect("apply" in rotator).toBe(false);
      expect(rotator.overlaps?.(options) ?? false).toBe(subject.kind === "overlapping");
      expect(rotator.retire !== undefined || subject.kind === "overlapping").toBe(true);
      expect(rotator.discard !== undefined).toBe(subject.kind === "overlapping");
      expect(rotator.endpoint(options)).toEqual(fixture.endpoint);
    });

    it("accepts its own options and no unknown ones", () => {
      const { rotator, options } = fixture.aimed;
      expect(rotator.options.parse(options)).toEqual(options);
      expect(rotator.options.safeParse({ ...options, surprise: 1 }).success).toBe(false);
    });

    describe("mint", () => {
      it("creates a secret that works, with one request", async () => {
        const { idle } = turn();
        const before = fixture.creations();
        const minted = await mint();
        expect(minted.account).toBe(idle.account);
        expect(minted.secret.equals(idle.secret)).toBe(false);
        expect(await fixture.works(minted)).toBe(true);
        expect(await verify(minted)).toBe("accepted");
        expect(fixture.creations()).toBe(before + 1);
      });

      it("leaves the published secret valid", async () => {
        const { published } = turn();
        await mint();
        await mint();
        expect(await fixture.works(published)).toBe(true);
        expect(await verify(published)).toBe("accepted");
      });

      it("creates another secret when it is called again", async () => {
        const [first, second] = [await mint(), await mint()];
        expect(first.secret.equals(second.secret)).toBe(false);
        expect(await fixture.works(second)).toBe(true);
      });

      it("works where nothing is published yet", async () => {
        const { account } = turn().idle;
        const { aimed, using } = fixture;
        const call = { options: aimed.options, using, mark, account };
        const minted = await send(aimed, call);
        expect(await fixture.works(minted.credential)).toBe(true);
      });

      it("does not know the outcome when the answer is lost, and sends nothing again", async () => {
        const before = fixture.creations();
        fixture.loseReply();
        await failsAs(OutcomeUnknownError, mint());
        expect(fixture.creations()).toBe(before + 1);
        expect(await fixture.works(turn().published)).toBe(true);
      });

      it("is refused when the system refuses, with one request, and nothing changes", async () => {
        const before = [fixture.snapshot(), fixture.creations() + 1];
        fixture.refuse();
        await failsAs(ChangeRefusedError, mint());
        expect([fixture.snapshot(), fixture.creations()]).toEqual(before);
      });

      it("sends nothing when the request would be late", async () => {
        await sendsNothing(TargetUnavailableError, () => mint({ isInTime: () => false }));
      });

      it("checks that it is in time directly before the request", async () => {
        const seen: number[] = [];
        const isInTime = () => seen.push(fixture.creations()) > 0;
        const before = fixture.creations();
        await mint({ isInTime });
        expect(seen.at(-1)).toBe(before);
      });

      it("sends nothing when the signal has already fired", async () => {
        const signal = AbortSignal.abort();
        const before = [fixture.snapshot(), fixture.creations()];
        await mint({ signal }).catch(() => undefined);
        expect([fixture.snapshot(), fixture.creations()]).toEqual(before);
      });

      if (subject.stranger !== undefined) {
        it("is refused for an account that the system does not have", async () => {
          await sendsNothing(ChangeRefusedError, () =>
            mint({ account: required(subject.stranger, "stranger") }),
          );
        });
      }

      it("sends nothing about an account whose name no account can have", async () => {
        await sendsNothing(ConfigError, () => mint({ account: "" }));
      });
    });

    describe("verify", () => {
      it("rejects every other secret, and changes nothing", async () => {
        const { published } = turn();
        const before = fixture.snapshot();
        const value = published.secret.reveal();
        const almost = value.slice(0, -1) + (value.endsWith("A") ? "B" : "A");
        const other = new Secret(keeper.keep(almost));
        expect(await verify({ ...published, secret: other })).toBe("rejected");
        expect(fixture.snapshot()).toEqual(before);
      });
    });

    describe("the end of the superseded secret", () => {
      it("makes it useless, and leaves the published one valid", async () => {
        const { published: superseded } = turn();
        const published = await mint();
        await end(superseded, published);
        expect(await fixture.works(superseded)).toBe(false);
        expect(await verify(superseded)).toBe("rejected");
        expect(await fixture.works(published)).toBe(true);
      });

      it("does no harm when it is repeated", async () => {
        const { published: superseded } = turn();
        const published = await mint();
        await end(superseded, published);
        const before = fixture.snapshot();
        await end(superseded, published);
        expect(fixture.snapshot()).toEqual(before);
      });

      it("sends nothing when the request would be late", async () => {
        const { published: superseded } = turn();
        const published = await mint();
        await sendsNothing(TargetUnavailableError, () =>
          end(superseded, published, { isInTime: () => false }),
        );
      });
    });

    if (subject.kind === "pair") {
      describe("the published key", () => {
        const forms = Object.keys(publishedForms);

        it.each(forms)("is never created anew, published as %s", async (form) => {
          const { published } = turn();
          const write = required(publishedForms[form], form);
          const publishedText = new Secret(write(published.secret.reveal()));
          await sendsNothing(ChangeRefusedError, () =>
            mint({ account: published.account, publishedText }),
          );
          await sendsNothing(ChangeRefusedError, () =>
            end(published, published, { publishedText }),
          );
        });

        it("is never created anew when the other key is said to be published", async () => {
          const { published, idle } = turn();
          const misnamed = { account: idle.account, secret: published.secret };
          await sendsNothing(ChangeRefusedError, () =>
            mint({ account: published.account, published: misnamed }),
          );
        });

        it("is not accepted under the name of the other key", async () => {
          const { published, idle } = turn();
          expect(await verify({ account: idle.account, secret: published.secret })).toBe(
            "rejected",
          );
        });
      });

      it("says which key has a secret, without a name", async () => {
        const { rotator, options } = fixture.aimed;
        if (rotator.findOwner === undefined) return;
        const accounts = held.map(({ account }) => account);
        const call = { options, accounts, using: fixture.using };
        for (const { account, secret } of held) {
          expect(await rotator.findOwner({ ...call, secret }, patience())).toBe(account);
        }
        const other = new Secret("of-nobody");
        expect(await rotator.findOwner({ ...call, secret: other }, patience())).toBeUndefined();
      });

      it("does not replace a superseded key that somebody has replaced already", async () => {
        const { published, idle } = turn();
        const superseded = { ...idle, secret: new Secret("an-earlier-value") };
        const before = [fixture.snapshot(), fixture.creations()];
        await end(superseded, published);
        expect([fixture.snapshot(), fixture.creations()]).toEqual(before);
      });

      it("does not know the outcome when the answer to a retirement is lost", async () => {
        const { published, idle } = turn();
        fixture.loseReply();
        await failsAs(OutcomeUnknownError, end(idle, published));
        expect(await fixture.works(published)).toBe(true);
      });
    }

    it("reads the secret in its own connection strings, and none in a secret", () => {
      const { rotator, options } = fixture.aimed;
      const { published } = turn();
      expect(rotator.readConnectionString?.(published.secret)).toBeUndefined();
      // Some systems name their secrets in the text.
      const named = { ...published, secretId: published.secretId ?? "an-id" };
      const write = () => rotator.toConnectionString?.(options, named);
      if (subject.lacksText === true) expect(write).toThrow(ConfigError);
      const text = subject.lacksText === true ? undefined : write();
      if (text === undefined) return;
      expect(rotator.readConnectionString?.(text)?.secret.equals(published.secret)).toBe(true);
    });

    it("names the missing right when the identity may only read", async () => {
      const { powerless } = fixture;
      if (powerless === undefined) return;
      const before = fixture.snapshot();
      await failsAs(ChangeRefusedError, mint({ aimed: powerless }));
      expect(fixture.snapshot()).toEqual(before);
    });

    it("says that the system cannot be reached, and sends nothing later", async () => {
      // A port of the system, on which nobody listens.
      const closed = fixture.elsewhere?.(1);
      if (closed === undefined) return;
      await sendsNothing(TargetUnavailableError, () => mint({ aimed: closed }));
      await sendsNothing(TargetUnavailableError, () => verify(turn().published, closed));
    });
  });
}
