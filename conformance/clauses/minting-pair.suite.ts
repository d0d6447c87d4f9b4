import { expect, it } from "vitest";
import { ChangeRefusedError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { publishedForms } from "../minting-fixture.ts";
import type { MintingSteps } from "../minting-steps.ts";
import { required } from "../rotator-steps.ts";

/** The rules for a pair of keys: the one that consumers read is never created anew. */
export function testMintedPair<Options>(steps: MintingSteps<Options>): void {
  const { turn, mint, end, verify, failsEarlyAs } = steps;

  it.each(Object.keys(publishedForms))("is never created anew, published as %s", async (form) => {
    const { published } = turn();
    const write = required(publishedForms[form], form);
    const publishedText = new Secret(write(published.secret.reveal()));
    const { account } = published;
    await failsEarlyAs(ChangeRefusedError, () => mint({ account, publishedText }));
    await failsEarlyAs(ChangeRefusedError, () => end(published, published, { publishedText }));
  });

  it("is never created anew when the other key is said to be published", async () => {
    const { published, idle } = turn();
    const misnamed = { account: idle.account, secret: published.secret };
    await failsEarlyAs(ChangeRefusedError, () =>
      mint({ account: published.account, published: misnamed }),
    );
  });

  it("is not accepted under the name of the other key", async () => {
    const { published, idle } = turn();
    const misnamed = { account: idle.account, secret: published.secret };
    expect(await verify(misnamed)).toBe("rejected");
  });

  it("says which key has a secret, without a name", async () => {
    const { aimed, using } = steps.fixture;
    const { rotator, options } = aimed;
    const accounts = steps.held.map(({ account }) => account);
    const find = (secret: Secret) =>
      required(
        rotator.findOwner?.({ options, accounts, using, secret }, AbortSignal.timeout(20_000)),
        "findOwner",
      );
    for (const { account, secret } of steps.held) expect(await find(secret)).toBe(account);
    expect(await find(new Secret("of-nobody"))).toBeUndefined();
  });
}

const minute = 60_000;

/** The rules for the question what became of a request whose answer was lost. */
export function testSettle<Options>(steps: MintingSteps<Options>): void {
  const { turn, mint, settle, failsAs, sendsNothing } = steps;

  it("gives the secret that the request has created, or does not know", async () => {
    const { idle: superseded } = turn();
    steps.fixture.loseReply();
    await failsAs(Error, mint());
    await sendsNothing(async () => {
      const settled = await settle({ sentAgo: 10 * minute, superseded });
      if (settled === "unknown") return;
      if (settled === "without effect") throw new Error("the request has taken effect");
      expect(settled.account).toBe(superseded.account);
      expect(settled.secret.equals(superseded.secret)).toBe(false);
      expect(await steps.fixture.works(settled)).toBe(true);
    });
  });

  it("takes no secret from before for the one that the request has created", async () => {
    const { idle: superseded } = turn();
    const settled = await settle({ sentAgo: 10 * minute, superseded });
    expect(typeof settled === "object").toBe(false);
    expect(typeof (await settle({ sentAgo: 0 })) === "object").toBe(false);
  });
}
