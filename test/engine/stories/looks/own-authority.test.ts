import { expect, test } from "vitest";
import type { DryRunCheck } from "../../../../shared/core/dry-run.ts";
import { minute } from "../../../../shared/core/time.ts";
import { dryRun } from "../../../../shared/engine/dry-run/dry-run.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { asSetting } from "../../../../shared/rotators/as-setting.ts";
import { adopted, readRecord, request, setPassword, tryRotation, work } from "../../steps.ts";
import { type Gate, open, overlapSelf, pairSelf, singleSelf, type World } from "../../world.ts";

async function check(world: World, gate: Gate = open) {
  const { outcome } = await dryRun(world.ports(gate), world.target);
  if ("conflict" in outcome) throw new Error(outcome.conflict.why);
  return outcome.done;
}

const listFailed = (checks: readonly DryRunCheck[]) =>
  checks.filter(({ result }) => result === "failed").map((one) => one.check);

/** The ports of a worker that records the calls to the target. */
function recorded(world: World) {
  const ports = world.ports(open);
  const memory = asSetting(ports.rotator("memory"));
  const calls: Readonly<Record<string, unknown>>[] = [];
  const rotator: typeof memory = {
    ...memory,
    verify: ({ mayStay, ...check }, signal) => {
      calls.push({ call: "verify", mayStay, account: check.credential.account });
      return memory.verify({ ...check, ...(mayStay && { mayStay }) }, signal);
    },
    examine: async (examine, signal) => {
      const { mayStay, isLast, account, isProven, twin } = examine;
      calls.push({ call: "examine", mayStay, isLast, account, isProven, twin });
      return (await memory.examine?.(examine, signal)) ?? "rejected";
    },
    apply: (change, signal) => {
      const { mayStay, isLast, next } = change;
      calls.push({ call: "apply", mayStay, isLast, account: next.account });
      return memory.apply(change, signal);
    },
  };
  return { calls, ports: { ...ports, rotator: () => rotator } };
}

test("Differences between the accounts of a pair that change themselves are reported before the change", async () => {
  const world = await adopted(pairSelf);
  world.system.shown = { warnings: ["Account `app_b` differs from `app_a`."] };
  const id = await request(world);
  const { calls, ports } = recorded(world);
  await workOn(ports, world.target);
  const looked = world.events.find((event) => event.type === "looked" && event.rotationId === id);
  expect(looked?.detail).toContain("warning: Account `app_b` differs from `app_a`");
  expect(calls.filter(({ call }) => call === "examine")).toEqual([
    expect.objectContaining({ account: "app_b", twin: "app_a", isProven: true }),
  ]);
});

test("An account that changes itself is examined with the log-in that has just proven its secret, which ends with the change", async () => {
  const world = await adopted(singleSelf);
  await request(world);
  const { calls, ports } = recorded(world);
  await workOn(ports, world.target);
  const account = "app";
  expect(calls.map((one) => JSON.parse(JSON.stringify(one)) as unknown)).toEqual([
    { call: "verify", mayStay: true, account },
    { call: "examine", mayStay: true, account, isProven: true },
    { call: "apply", mayStay: true, isLast: true, account },
    { call: "verify", account },
    { call: "verify", account },
  ]);
});

test.each([singleSelf, pairSelf, overlapSelf])(
  "A right that the account itself lacks is detected before anything is changed, and named: $name",
  async (kind) => {
    const world = await adopted(kind);
    for (const account of kind.accounts) world.system.fixed.add(account);
    const applies: string[] = [];
    const { state, message } = await tryRotation(world, {}, (effect, call) => {
      if (effect === "target.apply") applies.push(effect);
      return call();
    });
    const account = kind.accounts.at(-1) ?? "";
    expect(state).toBe("failed");
    expect(message).toContain(`${account} may not change ${account}`);
    expect(applies).toEqual([]);
    expect(world.publishedWorks()).toBe(true);
  },
);

test.each([singleSelf, pairSelf, overlapSelf])(
  "A secret that the target refuses when its account is examined counts as a refused one, and nothing is changed: $name",
  async (kind) => {
    const world = await adopted(kind);
    const account = kind.accounts.at(-1) ?? "";
    const before = world.system.passwords.get(account)?.reveal() ?? "";
    const { id, state, message } = await tryRotation(world, {}, (effect, call) => {
      if (effect === "target.examine") setPassword(world, account, "changed by somebody");
      return call();
    });
    expect(state).toBe("running");
    const record = await readRecord(world);
    expect(message).toContain(
      `refuses the secret with which ${account} logged in a moment ago; nothing was changed`,
    );
    expect(record.refusals?.map((one) => one.account)).toEqual([account]);
    expect(record.rotation?.changeBegan).toBe(false);
    expect(world.applied.size).toBe(0);
    setPassword(world, account, before);
    world.advance(12 * minute);
    await work(world);
    expect((await world.journal.run("app", id))?.state).toBe("done");
    expect(world.publishedWorks()).toBe(true);
  },
);

test("A system that cannot examine accounts costs an account that changes itself no log-in", async () => {
  const world = await adopted(singleSelf);
  const ports = world.ports(open);
  const blind = ports.rotator("memory");
  Reflect.deleteProperty(blind, "examine");
  await request(world);
  const before = world.system.logIns;
  await workOn({ ...ports, rotator: () => blind }, world.target);
  expect(world.system.logIns - before).toBe(3);
  expect(world.publishedWorks()).toBe(true);
});

test.each([
  [singleSelf, 1],
  [overlapSelf, 1],
  [pairSelf, 2],
])(
  "A dry run examines an account that changes itself with the log-in that has just proven its secret, and leaves none open: $name",
  async (kind, logIns) => {
    const world = await adopted(kind);
    const ports = world.ports(open);
    const memory = ports.rotator("memory");
    const examined: object[] = [];
    const watching: typeof memory = {
      ...memory,
      examine: async (examine, signal) => {
        examined.push(examine);
        return (await memory.examine?.(examine, signal)) ?? "rejected";
      },
    };
    const before = world.system.logIns;
    await dryRun({ ...ports, rotator: () => watching }, world.target);
    expect(world.system.logIns - before).toBe(logIns);
    expect(examined).toEqual([
      expect.objectContaining({ mayStay: true, isLast: true, isProven: true }),
    ]);
  },
);

test("A dry run names the right that the account itself lacks", async () => {
  const world = await adopted(singleSelf);
  world.system.fixed.add("app");
  const { ready, checks } = await check(world);
  expect([ready, listFailed(checks)]).toEqual([false, ["privilege"]]);
  const privilege = checks.find((one) => one.check === "privilege");
  expect(privilege?.sentence).toContain("app may not change app");
});

test("A dry run says when the target refuses the secret with which the account has just logged in, and counts the guess", async () => {
  const world = await adopted(singleSelf);
  const { ready, checks } = await check(world, (effect, call) => {
    if (effect === "target.examine") setPassword(world, "app", "changed by somebody");
    return call();
  });
  expect([ready, listFailed(checks)]).toEqual([false, ["privilege"]]);
  const privilege = checks.find((one) => one.check === "privilege");
  expect(privilege?.sentence).toContain("refuses the secret with which app logged in");
  expect(privilege?.action).toContain("Store the present password of app");
  expect((await readRecord(world)).refusals).toHaveLength(1);
});
