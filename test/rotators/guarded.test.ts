import { expect, test } from "vitest";
import { ChangeRefusedError, ConfigError } from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { guarded } from "../../shared/rotators/guarded.ts";
import { makeMemorySystem, makeOverlappingRotator } from "../../shared/rotators/memory.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";
import type { Using } from "../../shared/rotators/rotator.ts";

const secret = new Secret("secret-of-everybody");
const named = (account: string): Credential => ({ account, secret });
const unfit = "x".repeat(9);
const admin: Using = { as: "admin", credential: named("admin") };
const signal = () => AbortSignal.timeout(1000);

function start() {
  const system = makeMemorySystem();
  for (const account of ["app", "twin", "admin", unfit]) system.passwords.set(account, secret);
  system.admins.add("admin");
  const rotator = guarded({
    ...makeOverlappingRotator(system),
    findUnfitAccount: (account: string) =>
      account.length > 8 ? "must have at most 8 characters" : undefined,
  });
  return { system, rotator };
}

type Rotator = ReturnType<typeof start>["rotator"];
const options = {};
const by: Using = { as: "admin", credential: named(unfit) };
const look = { options, account: "app", using: admin };
const next = named("app");

const calls: readonly (readonly [string, (rotator: Rotator) => Promise<unknown> | undefined])[] = [
  ["apply", (it) => it.apply({ options, next: named(unfit), using: admin }, signal())],
  ["apply by it", (it) => it.apply({ options, next, using: by }, signal())],
  [
    "apply that keeps",
    (it) => it.apply({ options, next, using: admin, keep: named(unfit) }, signal()),
  ],
  ["verify", (it) => it.verify({ options, credential: named(unfit) }, signal())],
  ["examine", (it) => it.examine?.({ ...look, account: unfit, isProven: true }, signal())],
  ["examine as a twin", (it) => it.examine?.({ ...look, twin: unfit, isProven: true }, signal())],
  ["hasSessions", (it) => it.hasSessions?.({ ...look, account: unfit }, signal())],
  ["retire", (it) => it.retire?.({ ...look, account: unfit }, signal())],
  ["discard", (it) => it.discard?.({ options, using: admin, keep: named(unfit) }, signal())],
];

test.each(calls)(
  "A name that no account can have is refused before anything is sent: %s",
  async (_, call) => {
    const { system, rotator } = start();
    const refused = Promise.resolve(call(rotator));
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(
      'memory at memory:0: the name of account "xxxxxxxxx" must have at most 8 characters',
    );
    expect(system.logIns).toBe(0);
  },
);

test("An account cannot retire itself", async () => {
  const { system, rotator } = start();
  const using: Using = { as: "self", credential: named("app") };
  const refused = Promise.resolve(rotator.retire?.({ ...look, using }, signal()));
  await expect(refused).rejects.toBeInstanceOf(ChangeRefusedError);
  await expect(refused).rejects.toThrow("an account cannot retire itself. Set admin");
  expect(system.logIns).toBe(0);
});

test("Everything else reaches the rotator", async () => {
  const { system, rotator } = start();
  expect(await rotator.verify({ options, credential: next }, signal())).toBe("accepted");
  expect(await rotator.examine?.({ ...look, twin: "twin", isProven: true }, signal())).toEqual({
    obstacles: [],
    right: { is: "proven" },
  });
  expect(await rotator.hasSessions?.(look, signal())).toBe(false);
  const newer = { account: "app", secret: new Secret("another-secret") };
  await rotator.apply({ options, next: newer, keep: next, using: admin }, signal());
  await rotator.discard?.({ options, keep: newer, using: admin }, signal());
  expect(system.passwords.get("app")?.equals(newer.secret)).toBe(true);
  await rotator.retire?.(look, signal());
  expect(system.passwords.get("app")?.reveal()).toBe("");
});

test("What the rotator lacks stays absent", () => {
  const bare = makeOverlappingRotator(makeMemorySystem());
  const names = ["examine", "hasSessions", "retire", "discard"];
  for (const name of names) Reflect.deleteProperty(bare, name);
  for (const name of names) expect(guarded(bare)).not.toHaveProperty(name);
});

test("Every rotator refuses an account without a name", () => {
  const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
  for (const rotator of rotators) {
    expect(rotator.findUnfitAccount?.("")).toBe("must not be empty");
    expect(rotator.findUnfitAccount?.("a\0b")).toContain("NUL character");
    expect(rotator.findUnfitAccount?.("half\ud800")).toContain("half of a character");
  }
});
