import { afterEach, expect } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { appIdentity } from "../../conformance/identity.ts";
import type { Secret } from "../../shared/core/secrets/secret.ts";
import type { AzureKeyOptions } from "../../shared/rotators/azure-key/azure-key.ts";
import type { Rotator, Settling } from "../../shared/rotators/rotator.ts";
import { type KeyBench, startKeyBench } from "../contract/rotators/azure-key-bench.ts";

const patience = () => AbortSignal.timeout(20_000);
const mark = { targetId: "orders", rotationId: "01HX0000000000000000000001" };

export interface Called {
  readonly rotator?: Rotator<AzureKeyOptions>;
  readonly options?: AzureKeyOptions;
  readonly signal?: AbortSignal;
}

const open: KeyBench[] = [];

/** Closes what the test has started. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const bench of open.splice(0)) await bench.close();
  });
}

/** A signal that fires as soon as this is so. */
export function abortOnce(isSo: () => boolean): AbortSignal {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (!isSo()) return;
    clearInterval(timer);
    controller.abort();
  }, 1);
  return controller.signal;
}

/** A signal that fires when so many requests with such a path were answered. */
export function onceSeen({ arm }: KeyBench, pattern: RegExp, times = 1): AbortSignal {
  const { requests } = arm.inspection;
  return abortOnce(() => requests.filter(({ path }) => pattern.test(path)).length >= times);
}

/** A bench, and the calls of the contract on it. `account`: the key that is regenerated first. */
export async function startSteps(...settings: Parameters<typeof startKeyBench>) {
  const bench = await startKeyBench(...settings);
  open.push(bench);
  const account = bench.rotator().defaultAccounts?.(bench.options)?.[0] ?? "";
  const using = appIdentity;

  async function mint(called: Called & { readonly account?: string } = {}) {
    const { rotator = bench.rotator(), options = bench.options, signal = patience() } = called;
    const call = { options, account, ...called, mark, using };
    const minted = await rotator.mint?.(call, signal);
    if (minted === undefined) throw new Error("no mint");
    return minted.credential;
  }

  async function examine({ rotator = bench.rotator(), options = bench.options }: Called = {}) {
    return rotator.examine?.({ options, account, using, isProven: false }, patience());
  }

  async function verify(called: Called & { readonly note?: (said: string) => void } = {}) {
    const { rotator = bench.rotator(), options = bench.options, note } = called;
    const credential = { account, secret: bench.valueOf(account) };
    return rotator.verify({ options, credential, ...(note && { note }) }, patience());
  }

  async function settle(sent: Pick<Settling<unknown>, "sentAgo" | "operation" | "superseded">) {
    return bench
      .rotator()
      .settle?.({ options: bench.options, account, using, ...sent }, patience());
  }

  async function retire(publishedText: Secret) {
    const call = { options: bench.options, account, using, publishedText };
    await bench.rotator().retire?.(call, patience());
  }

  async function failsAs(
    kind: abstract new (...args: never[]) => Error,
    attempt: Promise<unknown>,
  ): Promise<Error> {
    const error = await failure(attempt);
    expect(error).toBeInstanceOf(kind);
    expectNoTrace(
      error,
      Array.from(bench.keys.now.values(), ({ value }) => value),
    );
    return error;
  }

  return { bench, account, mint, examine, verify, settle, retire, failsAs };
}
