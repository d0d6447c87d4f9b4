import { afterEach, describe, expect, it } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { appIdentity } from "../../conformance/identity.ts";
import type { ArmKey, ArmKeys } from "../../local/azure/arm/key-store.ts";
import { ChangeRefusedError, TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { Rotator } from "../../shared/rotators/rotator.ts";
import { startKeyBench } from "../contract/rotators/azure-key-bench.ts";
import { startSasBench } from "../contract/rotators/azure-sas-key-bench.ts";

/** What both types of keys have in common. */
interface Bench {
  readonly rotator: Pick<Rotator<never>, "retire" | "findOwner" | "mint">;
  readonly options: never;
  readonly keys: ArmKeys;
  /** The first key in the list is the one that is published. */
  readonly accounts: readonly [string, string];
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
});

const kinds = {
  "azure-key": async (): Promise<Bench> => {
    const bench = await startKeyBench("cognitive");
    open.push(bench);
    return {
      ...{ keys: bench.keys, accounts: ["key1", "key2"] },
      rotator: bench.rotator(),
      options: bench.options as never,
    };
  },
  "azure-sas-key": async (): Promise<Bench> => {
    const bench = await startSasBench();
    open.push(bench);
    return {
      ...{ keys: bench.keys, accounts: ["primary", "secondary"] },
      rotator: bench.rotator(),
      options: bench.options as never,
    };
  },
};

const patience = () => AbortSignal.timeout(20_000);

/** Two keys that were created one after the other, the first one last. `old`: the list from before. */
async function start(kind: keyof typeof kinds) {
  const bench = await kinds[kind]();
  const { keys, rotator, options, accounts } = bench;
  const [publishedName = "", supersededName = ""] = keys.now.keys();
  const old = new Map(keys.now);
  keys.regenerate(supersededName);
  keys.regenerate(publishedName);
  const valueOf = (name: string) => new Secret(keys.now.get(name)?.value ?? "");
  const published = valueOf(publishedName);
  const superseded = { account: accounts[1], secret: valueOf(supersededName) };
  const landed = keys.landed;
  const read = keys.read.bind(keys);
  const call = { options, account: accounts[1], using: appIdentity };
  return {
    ...{ keys, published, superseded, accounts, supersededName, old },
    /** The next lists are these. */
    show: (list: ReadonlyMap<string, ArmKey>, times: number) => {
      let left = times;
      keys.read = () => (left-- > 0 ? list : read());
    },
    retire: async (publishedText = published) =>
      rotator.retire?.({ ...call, superseded, publishedText }, patience()),
    findOwner: (secret: Secret) =>
      rotator.findOwner?.({ options, using: appIdentity, secret, accounts }, patience()),
    isReplaced: () => keys.landed > landed,
  };
}

async function failsAs(
  kind: abstract new (...args: never[]) => Error,
  attempt: Promise<unknown>,
  ...secrets: readonly Secret[]
): Promise<void> {
  const error = await failure(attempt);
  expect(error).toBeInstanceOf(kind);
  expectNoTrace(
    error,
    secrets.map((one) => one.reveal()),
  );
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])("an old list of %s", (kind) => {
  it("does not end the retirement of a key that is still valid", async () => {
    const { old, show, retire, published, superseded, isReplaced } = await start(kind);
    show(old, Infinity);
    await failsAs(TargetUnavailableError, retire(), published, superseded.secret);
    expect(isReplaced()).toBe(false);
  });

  it("only delays the retirement, if the next list is newer", async () => {
    const { old, show, retire, keys, superseded } = await start(kind);
    show(old, 1);
    await retire();
    expect(keys.has(superseded.secret.reveal())).toBe(false);
  });

  it("does not hide that consumers read the key", async () => {
    const { old, show, retire, superseded, isReplaced } = await start(kind);
    show(old, 1);
    await failsAs(ChangeRefusedError, retire(superseded.secret), superseded.secret);
    expect(isReplaced()).toBe(false);
  });

  it("does not hide whose key a secret is", async () => {
    const { old, show, findOwner, superseded } = await start(kind);
    show(old, 1);
    expect(await findOwner(superseded.secret)).toBe(superseded.account);
  });

  it("does not end the retirement of a key that the service still accepts", async () => {
    const { keys, old, show, retire, superseded, supersededName, isReplaced } = await start(kind);
    const other = old.get(supersededName);
    if (other === undefined) throw new Error("no key");
    show(new Map([...keys.now, [supersededName, other]]), Infinity);
    await failsAs(TargetUnavailableError, retire(), superseded.secret);
    expect(isReplaced()).toBe(false);
  });
});

it("An old list of azure-key does not hide from a mint that consumers read the key", async () => {
  const { rotator, options, keys } = await kinds["azure-key"]();
  const old = new Map(keys.now);
  keys.regenerate("key2");
  const publishedText = new Secret(keys.now.get("key2")?.value ?? "");
  const read = keys.read.bind(keys);
  let left = 1;
  keys.read = () => (left-- > 0 ? old : read());
  const mark = { targetId: "orders", rotationId: "01HX0000000000000000000001" };
  const call = { options, account: "key2", using: appIdentity, mark, publishedText };
  await failsAs(ChangeRefusedError, Promise.resolve(rotator.mint?.(call, patience())));
  expect(keys.landed).toBe(1);
});
