import { expect, it } from "vitest";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { MintingSteps } from "../minting-steps.ts";

/** The rules for a proof of a secret that the system has created. */
export function testMintedProof<Options>(steps: MintingSteps<Options>): void {
  it("rejects every other secret, and changes nothing", async () => {
    const { turn, verify, keep, sendsNothing } = steps;
    const { published } = turn();
    const value = published.secret.reveal();
    const almost = value.slice(0, -1) + (value.endsWith("A") ? "B" : "A");
    const other = new Secret(keep(almost));
    await sendsNothing(async () => {
      expect(await verify({ ...published, secret: other })).toBe("rejected");
    });
  });
}

/** The rules for the end of the superseded secret. */
export function testMintedEnd<Options>(steps: MintingSteps<Options>): void {
  const { turn, mint, end, verify } = steps;

  it("makes it useless, and leaves the published one valid", async () => {
    const { published: superseded } = turn();
    const published = await mint();
    await end(superseded, published);
    expect(await steps.fixture.works(superseded)).toBe(false);
    expect(await verify(superseded)).toBe("rejected");
    expect(await steps.fixture.works(published)).toBe(true);
  });

  it("does no harm when it is repeated", async () => {
    const { published: superseded } = turn();
    const published = await mint();
    await end(superseded, published);
    const before = steps.fixture.snapshot();
    await end(superseded, published);
    expect(steps.fixture.snapshot()).toEqual(before);
    expect(await steps.fixture.works(published)).toBe(true);
  });

  it("is the end of no other secret", async () => {
    const { published: superseded } = turn();
    const [earlier, published] = [await mint(), await mint()];
    const isKept = await steps.fixture.works(earlier);
    await end(superseded, published);
    expect(await steps.fixture.works(published)).toBe(true);
    expect(isKept && (await steps.fixture.works(superseded))).toBe(false);
  });

  it("leaves a secret that has ended already as it is", async () => {
    const { published, idle } = turn();
    const superseded = { ...idle, secret: new Secret("an-earlier-value") };
    const { secretId: _, ...unnamed } = superseded;
    const before = steps.fixture.snapshot();
    await end(unnamed, published);
    expect(steps.fixture.snapshot()).toEqual(before);
  });
}
