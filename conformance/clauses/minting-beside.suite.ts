import { expect, it } from "vitest";
import { OutcomeUnknownError } from "../../shared/core/errors.ts";
import type { MintingSteps } from "../minting-steps.ts";
import { required } from "../rotator-steps.ts";

/** The rules for secrets side by side: those of nobody's use are removed, and no others. */
export function testMintedBeside<Options>(steps: MintingSteps<Options>): void {
  const { turn, mint, failsAs } = steps;
  const count = () => required(steps.fixture.count?.(), "count");

  it("removes the orphan of a lost answer before it creates another secret", async () => {
    const before = count();
    steps.fixture.loseReply();
    await failsAs(OutcomeUnknownError, mint());
    expect(count()).toBe(before + 1);
    await mint();
    expect(count()).toBe(before + 1);
    expect(await steps.fixture.works(turn().published)).toBe(true);
  });

  it("keeps its secrets that are stored, and has an id for each", async () => {
    const first = await mint();
    const storedIds = [required(first.secretId, "secretId")];
    const second = await mint({ storedIds });
    expect(second.secretId).not.toBe(first.secretId);
    expect(await steps.fixture.works(first)).toBe(true);
    expect(await steps.fixture.works(second)).toBe(true);
  });

  it("leaves secrets of others alone", async () => {
    const { published: foreign } = turn();
    const first = await mint();
    const storedIds = [required(first.secretId, "secretId")];
    await mint({ published: first, publishedText: first.secret, storedIds });
    expect(await steps.fixture.works(foreign)).toBe(true);
  });
}
