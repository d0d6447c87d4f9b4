import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { Credential } from "../shared/core/secrets/secret.ts";
import type { Mint, Retire, Settled, Settling } from "../shared/rotators/rotator.ts";
import type { MintingFixture, MintingSubject } from "./minting-fixture.ts";
import type { Aimed } from "./rotator-fixture.ts";
import { required } from "./rotator-steps.ts";
import { secretKeeper } from "./secret-keeper.ts";

const patience = () => AbortSignal.timeout(20_000);
const mark = { targetId: "orders", rotationId: "01HX0000000000000000000001" };

export type MintingSteps<Options> = ReturnType<typeof mintingSteps<Options>>;

/** A call with other fields than usual, of another rotator or options. */
type Changed<Call, Options> = Partial<Omit<Call, "options" | "using">> & {
  readonly aimed?: Aimed<Options>;
  readonly signal?: AbortSignal;
};

type ErrorKind = abstract new (...args: never[]) => Error;

/** The steps and checks of the tests of a rotator with `mint`. Each test begins with new secrets, and must leave no connection open. */
export function mintingSteps<Options>(subject: MintingSubject<Options>) {
  const keeper = secretKeeper(() => "unused");
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
    await expect.poll(() => fixture.openConnections?.(), { interval: 2, timeout: 10_000 }).toBe(0);
  });
  afterAll(async () => {
    await fixture.stop();
  });

  /** The account whose secret is published, and the one that takes the next secret. */
  const turn = () => {
    const published = required(held[0], "a secret");
    const idle = subject.mints === "pair" ? required(held[1], "a second secret") : published;
    return { published, idle };
  };

  async function mint(changed: Changed<Mint<Options>, Options> = {}): Promise<Credential> {
    const { published } = turn();
    return mintUnpublished({ published, publishedText: published.secret, ...changed });
  }

  /** Where nothing is published yet. */
  async function mintUnpublished({
    aimed = fixture.aimed,
    signal = patience(),
    ...changed
  }: Changed<Mint<Options>, Options> = {}): Promise<Credential> {
    const { rotator, options } = aimed;
    const call = { options, using: fixture.using, mark, account: turn().idle.account, ...changed };
    const { credential } = await required(rotator.mint?.(call, signal), "mint");
    keeper.keep(credential.secret.reveal());
    return credential;
  }

  /** Ends the superseded secret, as the kind of system does it. */
  async function end(
    superseded: Credential,
    published: Credential,
    changed: Changed<Retire<Options>, Options> = {},
  ): Promise<void> {
    const { aimed = fixture.aimed, signal = patience(), ...more } = changed;
    const { rotator, options } = aimed;
    const call = { options, using: fixture.using };
    if (subject.mints === "beside") {
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

  const settle = (sent: Pick<Settling<Options>, "sentAgo" | "superseded">): Promise<Settled> => {
    const { rotator, options } = fixture.aimed;
    const call = { options, using: fixture.using, account: turn().idle.account, ...sent };
    return required(rotator.settle?.(call, patience()), "settle");
  };

  /** Checks that the promise fails with this kind of error, and that the error contains no secret. */
  async function failsAs(kind: ErrorKind, promise: Promise<unknown>): Promise<void> {
    const error: unknown = await promise.then(
      (value) => expect.unreachable(`should fail, but gave ${inspect(value)}`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    keeper.expectNoneIn(error);
  }

  const look = () => [fixture.snapshot(), fixture.creations()];

  /** Checks that the work sends nothing that creates or replaces a secret, and changes nothing. */
  async function sendsNothing(work: () => Promise<unknown>): Promise<void> {
    const before = look();
    await work();
    expect(look()).toEqual(before);
  }

  return {
    get fixture() {
      return fixture;
    },
    get held() {
      return held;
    },
    keep: (secret: string) => keeper.keep(secret),
    turn,
    mint,
    mintUnpublished,
    end,
    verify,
    settle,
    failsAs,
    sendsNothing,
    /** The call fails so, and nothing is sent. */
    failsEarlyAs: (kind: ErrorKind, make: () => Promise<unknown>) =>
      sendsNothing(() => failsAs(kind, make())),
  };
}
