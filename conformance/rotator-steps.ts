import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type Credential, Secret } from "../shared/core/secrets/secret.ts";
import type { Using } from "../shared/rotators/rotator.ts";
import { appIdentity } from "./identity.ts";
import type { Aimed, Fixture, Subject } from "./rotator-fixture.ts";
import { secretKeeper } from "./secret-keeper.ts";

const patience = () => AbortSignal.timeout(20_000);

export type RotatorSteps<Options> = ReturnType<typeof rotatorSteps<Options>>;

/** The destination of a call, its connection limit, and whether its session may stay. */
export interface Called<Options> extends Aimed<Options> {
  readonly connectWithin?: number;
  readonly mayStay?: boolean;
  readonly isLast?: boolean;
}

interface CallOptions<Options> {
  readonly aimed?: Called<Options>;
  readonly signal?: AbortSignal;
}

interface ExamineOptions<Options> extends CallOptions<Options> {
  readonly isProven?: boolean;
  readonly twin?: Credential;
}

/** The steps and checks of the tests of a rotator. Each test must leave no connection open. */
export function rotatorSteps<Options>(subject: Subject<Options>) {
  let fixture: Fixture<Options>;
  let number = 0;
  const keeper = secretKeeper(
    subject.makeSecret ?? (() => `Aa1-${randomBytes(24).toString("base64url")}`),
  );

  beforeAll(async () => {
    fixture = await subject.start();
    for (const known of [fixture.admin, fixture.powerless]) {
      if (known !== undefined) keeper.keep(known.secret.reveal());
    }
  });
  afterAll(async () => {
    await fixture.stop();
  });
  afterEach(async () => {
    await expect.poll(() => fixture.openConnections(), { timeout: 10_000 }).toBe(0);
  });

  const fresh = () => keeper.keep();

  async function newAccount(accountName?: string, secret = fresh()): Promise<Credential> {
    number += 1;
    const account = accountName ?? subject.onlyAccount ?? `account_${number}`;
    await fixture.account(account, keeper.keep(secret));
    return { account, secret: new Secret(secret) };
  }

  function using(as: Using["as"], current: Credential): Using {
    if (as === "identity") return fixture.identity ?? appIdentity;
    if (as === "self") return { as, credential: current };
    return { as, credential: required(fixture.admin, "admin") };
  }

  function anyAuthority(current: Credential): Using {
    return using(required(subject.authorities[0], "authorities"), current);
  }

  const withSecret = ({ account }: Credential, secret = fresh()): Credential => ({
    account,
    secret: new Secret(keeper.keep(secret)),
  });

  const apply = (
    next: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = fixture.aimed,
    signal = patience(),
  ) => required(rotator.apply?.({ ...to, next, using: by }, signal), "apply");

  /** A change that keeps a secret. */
  function applyWith(
    keep: Credential,
    next: Credential,
    by: Using,
    { aimed = fixture.aimed, signal = patience() }: CallOptions<Options> = {},
  ) {
    const { rotator, ...to } = aimed;
    return required(rotator.apply?.({ ...to, next, using: by, keep }, signal), "apply");
  }

  const discard = (
    keep: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = fixture.aimed,
    signal = patience(),
  ) => required(rotator.discard?.({ ...to, using: by, keep }, signal), "discard");

  const verify = (
    credential: Credential,
    { rotator, ...to }: Called<Options> = fixture.aimed,
    signal = patience(),
  ) => rotator.verify({ ...to, credential }, signal);

  const retire = (
    { account }: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = fixture.aimed,
    signal = patience(),
  ) => required(rotator.retire?.({ ...to, account, using: by }, signal), "retire");

  const examine = (
    { account }: Credential,
    by: Using,
    {
      isProven = false,
      twin,
      aimed: { rotator, ...to } = fixture.aimed,
      signal = patience(),
    }: ExamineOptions<Options> = {},
  ) => {
    const call = { ...to, account, using: by, isProven, ...(twin && { twin: twin.account }) };
    return required(rotator.examine?.(call, signal), "examine");
  };

  const isInUse = (
    { account }: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = fixture.aimed,
    signal = patience(),
  ) => required(rotator.hasSessions?.({ ...to, account, using: by }, signal), "hasSessions");

  const stay = ({ account, secret }: Credential) =>
    required(fixture.stay?.(account, secret.reveal()), "stay");

  const works = ({ account, secret }: Credential) => fixture.logsIn(account, secret.reveal());

  /** Checks that the promise fails with this kind of error, and that the error contains no secret. */
  async function failsAs(
    kind: abstract new (...args: never[]) => Error,
    promise: Promise<unknown>,
  ): Promise<Error> {
    const error: unknown = await promise.then(
      (value) => expect.unreachable(`should fail, but gave ${inspect(value)}`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    keeper.expectNoneIn(error);
    if (error instanceof Error) return error;
    throw new Error("what was thrown is not an error");
  }

  async function replaces(current: Credential, next: Credential, by: Using): Promise<void> {
    const { credential: valid } = await apply(next, by);
    expect(valid.account).toBe(next.account);
    expect(valid.secret.equals(next.secret)).toBe(true);
    expect(await works(next)).toBe(true);
    expect(await works(current)).toBe(false);
  }

  return {
    get fixture() {
      return fixture;
    },
    fresh,
    newAccount,
    using,
    anyAuthority,
    withSecret,
    apply,
    applyWith,
    discard,
    verify,
    retire,
    examine,
    isInUse,
    stay,
    works,
    failsAs,
    replaces,
  };
}

export function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`the fixture must offer ${name}`);
  return value;
}
