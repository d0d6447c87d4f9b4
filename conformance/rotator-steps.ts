import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type Credential, Secret } from "../shared/core/secrets/secret.ts";
import type { Using } from "../shared/rotators/rotator.ts";
import { appIdentity } from "./identity.ts";
import { type ErrorClass, isOfKind, nameKind } from "./kind.ts";
import { endsSoonAfter } from "./limit.ts";
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
  let started: Fixture<Options> | undefined;
  /** A leak stays, so the tests after the first one with a leak need not wait. */
  let patienceForLeaks = 10_000;
  let number = 0;
  const keeper = secretKeeper(
    subject.makeSecret ?? (() => `Aa1-${randomBytes(24).toString("base64url")}`),
  );

  beforeAll(async () => {
    const fixture = await subject.start();
    started = fixture;
    for (const known of [fixture.admin, fixture.powerless]) {
      if (known !== undefined) keeper.keep(known.secret.reveal());
    }
  });
  afterAll(async () => {
    await started?.stop();
  });
  afterEach(async () => {
    const timeout = patienceForLeaks;
    patienceForLeaks = 500;
    await expect
      .poll(() => running().openConnections(), {
        timeout,
        message: "connections that the rotator left open",
      })
      .toBe(0);
    patienceForLeaks = timeout;
  });

  const running = () => required(started, "a started fixture");

  const fresh = () => keeper.keep();

  async function newAccount(accountName?: string, secret = fresh()): Promise<Credential> {
    number += 1;
    const account = accountName ?? subject.onlyAccount ?? `account_${number}`;
    await running().account(account, keeper.keep(secret));
    return { account, secret: new Secret(secret) };
  }

  function using(as: Using["as"], current: Credential): Using {
    if (as === "identity") return running().identity ?? appIdentity;
    if (as === "self") return { as, credential: current };
    return { as, credential: required(running().admin, "admin") };
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
    { rotator, ...to }: Called<Options> = running().aimed,
    signal = patience(),
  ) =>
    endsSoonAfter(signal, required(rotator.apply?.({ ...to, next, using: by }, signal), "apply"));

  /** A change that keeps a secret. */
  function applyWith(
    keep: Credential,
    next: Credential,
    by: Using,
    { aimed = running().aimed, signal = patience() }: CallOptions<Options> = {},
  ) {
    const { rotator, ...to } = aimed;
    const call = rotator.apply?.({ ...to, next, using: by, keep }, signal);
    return endsSoonAfter(signal, required(call, "apply"));
  }

  const discard = (
    keep: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = running().aimed,
    signal = patience(),
  ) =>
    endsSoonAfter(
      signal,
      required(rotator.discard?.({ ...to, using: by, keep }, signal), "discard"),
    );

  const verify = (
    credential: Credential,
    { rotator, ...to }: Called<Options> = running().aimed,
    signal = patience(),
  ) => endsSoonAfter(signal, rotator.verify({ ...to, credential }, signal));

  const retire = (
    { account }: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = running().aimed,
    signal = patience(),
  ) =>
    endsSoonAfter(
      signal,
      required(rotator.retire?.({ ...to, account, using: by }, signal), "retire"),
    );

  const examine = (
    { account }: Credential,
    by: Using,
    {
      isProven = false,
      twin,
      aimed: { rotator, ...to } = running().aimed,
      signal = patience(),
    }: ExamineOptions<Options> = {},
  ) => {
    const call = { ...to, account, using: by, isProven, ...(twin && { twin: twin.account }) };
    return endsSoonAfter(signal, required(rotator.examine?.(call, signal), "examine"));
  };

  const isInUse = (
    { account }: Credential,
    by: Using,
    { rotator, ...to }: Called<Options> = running().aimed,
    signal = patience(),
  ) => {
    const call = rotator.hasSessions?.({ ...to, account, using: by }, signal);
    return endsSoonAfter(signal, required(call, "hasSessions"));
  };

  const stay = ({ account, secret }: Credential) =>
    required(running().stay?.(account, secret.reveal()), "stay");

  const works = ({ account, secret }: Credential) => running().logsIn(account, secret.reveal());

  /** Checks that the promise fails with exactly this kind of error, and that the error contains no secret. */
  async function failsAs(kind: ErrorClass, promise: Promise<unknown>): Promise<Error> {
    const error: unknown = await promise.then(
      (value) => expect.unreachable(`should fail, but gave ${inspect(value)}`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    if (!isOfKind(error, kind)) expect.unreachable(`${nameKind(error)} instead of ${kind.name}`);
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
      return running();
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
