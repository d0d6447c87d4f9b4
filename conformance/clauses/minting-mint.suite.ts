import { expect, it } from "vitest";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import type { MintingSubject } from "../minting-fixture.ts";
import type { MintingSteps } from "../minting-steps.ts";

/** The rules for a request that lets the system create a secret. */
export function testMint<Options>(
  steps: MintingSteps<Options>,
  { stranger }: MintingSubject<Options>,
): void {
  const { turn, mint, mintUnpublished, verify, failsEarlyAs } = steps;

  it("creates a secret that works, with one request", async () => {
    const { idle } = turn();
    const before = steps.fixture.creations();
    const minted = await mint();
    expect(minted.account).toBe(idle.account);
    expect(minted.secret.equals(idle.secret)).toBe(false);
    expect(await steps.fixture.works(minted)).toBe(true);
    expect(await verify(minted)).toBe("accepted");
    expect(steps.fixture.creations()).toBe(before + 1);
  });

  it("leaves the published secret valid", async () => {
    const { published } = turn();
    await mint();
    await mint();
    expect(await steps.fixture.works(published)).toBe(true);
    expect(await verify(published)).toBe("accepted");
  });

  it("creates another secret when it is called again", async () => {
    const [first, second] = [await mint(), await mint()];
    expect(first.secret.equals(second.secret)).toBe(false);
    expect(await steps.fixture.works(second)).toBe(true);
  });

  it("works where nothing is published yet", async () => {
    expect(await steps.fixture.works(await mintUnpublished())).toBe(true);
  });

  if (stranger !== undefined) {
    it("is refused for an account that the system does not have", async () => {
      await failsEarlyAs(ChangeRefusedError, () => mint({ account: stranger }));
    });
  }

  it("sends nothing about an account whose name no account can have", async () => {
    await failsEarlyAs(ConfigError, () => mint({ account: "" }));
  });
}

/** The rules for a request that the system refuses. */
export function testMintRefusal<Options>(
  steps: MintingSteps<Options>,
  { knowsRights }: MintingSubject<Options>,
): void {
  const { mint, failsAs } = steps;

  it("is refused when the system refuses, with one request, and nothing changes", async () => {
    const { fixture } = steps;
    const before = [fixture.snapshot(), fixture.creations() + 1];
    fixture.refuse();
    await failsAs(ChangeRefusedError, mint());
    expect([fixture.snapshot(), fixture.creations()]).toEqual(before);
  });

  if (knowsRights === true) {
    it("names the missing right when the authority may only read", async () => {
      const { powerless: aimed } = steps.fixture;
      if (aimed === undefined) throw new Error("the fixture must offer powerless");
      const before = steps.fixture.snapshot();
      await failsAs(ChangeRefusedError, mint({ aimed }));
      expect(steps.fixture.snapshot()).toEqual(before);
    });
  }
}

/** The rules for a request whose answer is lost. */
export function testMintLostReply<Options>(
  steps: MintingSteps<Options>,
  { mints }: MintingSubject<Options>,
): void {
  const { turn, mint, end, failsAs } = steps;

  it("does not know the outcome when the answer is lost, and sends nothing again", async () => {
    const before = steps.fixture.creations();
    steps.fixture.loseReply();
    await failsAs(OutcomeUnknownError, mint());
    expect(steps.fixture.creations()).toBe(before + 1);
    expect(await steps.fixture.works(turn().published)).toBe(true);
  });

  if (mints === "pair") {
    it("does not know the outcome when the answer to a retirement is lost", async () => {
      const { published, idle } = turn();
      steps.fixture.loseReply();
      await failsAs(OutcomeUnknownError, end(idle, published));
      expect(await steps.fixture.works(published)).toBe(true);
    });
  }
}

/** The rules for a worker that was suspended, or has no time left. */
export function testMintInTime<Options>(steps: MintingSteps<Options>): void {
  const { turn, mint, end, sendsNothing, failsEarlyAs } = steps;
  const isInTime = () => false;

  it("sends nothing when the request would be late", async () => {
    await failsEarlyAs(TargetUnavailableError, () => mint({ isInTime }));
  });

  it("sends no end of a secret when it would be late", async () => {
    const { published: superseded } = turn();
    const published = await mint();
    await failsEarlyAs(TargetUnavailableError, () => end(superseded, published, { isInTime }));
  });

  it("checks that it is in time directly before the request", async () => {
    const seen: number[] = [];
    const before = steps.fixture.creations();
    await mint({ isInTime: () => seen.push(steps.fixture.creations()) > 0 });
    expect(seen.at(-1)).toBe(before);
  });

  it("sends nothing when the signal has already fired", async () => {
    const signal = AbortSignal.abort();
    await sendsNothing(() => mint({ signal }).catch(() => undefined));
  });
}

/** The rules for a system that cannot be reached. */
export function testMintUnreachable<Options>(steps: MintingSteps<Options>): void {
  it("says that the system cannot be reached, and sends nothing later", async () => {
    const { turn, mint, verify, failsEarlyAs } = steps;
    // A port of the system, on which nobody listens.
    const closed = steps.fixture.elsewhere?.(1);
    if (closed === undefined) throw new Error("the fixture must offer elsewhere");
    await failsEarlyAs(TargetUnavailableError, () => mint({ aimed: closed }));
    await failsEarlyAs(TargetUnavailableError, () => verify(turn().published, closed));
  });
}
