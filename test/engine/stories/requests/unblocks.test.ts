import { expect, test } from "vitest";
import {
  AccountBlockedError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import { guessWindowMs } from "../../../../shared/core/looks/guesses.ts";
import { hour, plus, second } from "../../../../shared/core/time.ts";
import { unblockTarget } from "../../../../shared/engine/work/unblock.ts";
import {
  adopted,
  failing,
  readRecord,
  request,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  makeWorld,
  open,
  pairSelf,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

const by = { by: "anna", reason: "the password is in the safe", ticket: "INC-7" };

async function unblock(world: World, version?: string, gate: Gate = open) {
  const input = { ...by, ...(version !== undefined && { version }) };
  return (await unblockTarget(world.ports(gate), world.target, input)).result;
}

/** Stores the password where a person would: the second account of a pair has a secret of its own. */
function store(world: World, account: string) {
  const name = world.kind.accounts.length === 1 ? "app-db" : "app-second";
  return writeByHand(world, account, "set by hand", name);
}

const refusal = (text: string) => ({ refused: expect.stringContaining(text) as string });

/** A target whose only account has a password that nobody stored. */
async function blocked(kind = singleSelf) {
  const world = await adopted(kind);
  setPassword(world, kind.accounts.at(-1) ?? "", "set by hand");
  const id = await request(world);
  await work(world);
  expect((await readRecord(world)).health).toBe("blocked");
  return { world, id };
}

test.each([singleSelf, pairSelf])(
  "A target continues with the version that a person says is correct: $name",
  async (kind) => {
    const { world, id } = await blocked(kind);
    const account = (await readRecord(world)).rotation?.account ?? "";
    world.advance(guessWindowMs);
    const { version } = await store(world, account);
    expect(await unblock(world, version)).toMatchObject({ rotationId: id, account });
    const record = await readRecord(world);
    expect(record.health).toBe("failing");
    expect(record.slots.find((slot) => slot.account === account)?.current?.version).toBe(version);
    await work(world);
    expect(await world.journal.run("app", id)).toMatchObject({ state: "done", account });
    expect(world.publishedWorks()).toBe(true);
  },
);

test("A version that the target refuses leaves the target blocked, and counts as a guess", async () => {
  const { world } = await blocked();
  world.advance(guessWindowMs);
  const { version } = await writeByHand(world, "app", "a typing mistake");
  expect(await unblock(world, version)).toMatchObject(refusal("the target refuses version"));
  const record = await readRecord(world);
  expect(record.rotation?.phase).toBe("blocked");
  expect(record.claim.owner).toBeUndefined();
  expect(record.refusals?.some((one) => one.version === version)).toBe(true);
  // The same version is not tried again for a while.
  const before = world.system.logIns;
  expect(await unblock(world, version)).toMatchObject(refusal("does not try this version again"));
  expect(world.system.logIns).toBe(before);
});

test("Wrong versions cannot lock the account, however often somebody names one", async () => {
  const { world } = await blocked();
  world.advance(guessWindowMs);
  const before = world.system.logIns;
  for (let turn = 0; turn < 10; turn++) {
    const { version } = await writeByHand(world, "app", `wrong ${turn}`);
    expect(await unblock(world, version)).toMatchObject({ refused: expect.anything() as string });
    world.advance(second);
  }
  expect(world.system.logIns - before).toBeLessThanOrEqual(3);
});

test("A blocked rotation tries the stored secrets again when a person says so", async () => {
  const { world, id } = await blocked();
  setPassword(world, "app", "first-secret-of-app");
  world.advance(guessWindowMs);
  expect(await unblock(world)).toMatchObject({ rotationId: id });
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A blocked rotation whose stored secrets still do not work is blocked again, without a change", async () => {
  const { world, id } = await blocked();
  world.advance(guessWindowMs);
  await unblock(world);
  await work(world);
  expect((await readRecord(world)).rotation?.phase).toBe("blocked");
  expect((await world.journal.run("app", id))?.state).toBe("blocked");
  expect(world.applied.size).toBe(0);
});

test("A blocked adoption continues with a version that a person names", async () => {
  const world = await makeWorld(singleSelf);
  setPassword(world, "app", "set by hand");
  await work(world);
  expect(await readRecord(world)).toMatchObject({ health: "blocked" });
  world.advance(guessWindowMs);
  const { version } = await writeByHand(world, "app", "set by hand");
  expect(await unblock(world, version)).toMatchObject({ account: "app" });
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A target that is not blocked is not unblocked, and neither is one that a worker holds", async () => {
  const healthy = await adopted(singleAdmin);
  expect(await unblock(healthy)).toMatchObject(refusal("is not blocked"));
  const { world } = await blocked();
  world.advance(guessWindowMs);
  const during: object[] = [];
  const { version } = await writeByHand(world, "app", "set by hand");
  await unblock(world, version, async (effect, call) => {
    if (effect === "target.verify") during.push(await unblock(world, version));
    return call();
  });
  expect(during).toMatchObject([{ busy: expect.stringContaining("Nothing was tried") as string }]);
});

test.each<[string, string, () => Error]>([
  ["the server is down", "target.verify", () => new TargetUnavailableError("It is down.")],
  ["the vault is down", "vault.read", () => new VaultUnavailableError("It is down.")],
])(
  "An outage says nothing about the version, and leaves the target blocked and free: %s",
  async (_what, effect, make) => {
    const { world } = await blocked();
    world.advance(guessWindowMs);
    const { version } = await writeByHand(world, "app", "set by hand");
    const answer = unblock(world, version, failing(effect, 9, make));
    await expect(answer).rejects.toMatchObject({ name: make().name, message: "It is down." });
    const record = await readRecord(world);
    expect(record.rotation?.phase).toBe("blocked");
    expect(record.claim.owner).toBeUndefined();
    expect(record.refusals?.some((one) => one.version === version) ?? false).toBe(false);
    expect(await unblock(world, version)).toMatchObject({ account: "app" });
  },
);

test("A version that does not exist, or an account that the server does not let in, is refused", async () => {
  const { world } = await blocked();
  world.advance(guessWindowMs);
  expect(await unblock(world, "0".repeat(32))).toMatchObject(refusal("no readable version"));
  const { version } = await writeByHand(world, "app", "set by hand");
  const locked = failing("target.verify", 9, () => new AccountBlockedError("app is locked."));
  expect(await unblock(world, version, locked)).toEqual({ refused: "app is locked" });
  expect((await readRecord(world)).rotation?.phase).toBe("blocked");
});

test("A target whose server was silent a moment ago continues at once after it is unblocked", async () => {
  const { world, id } = await blocked();
  world.advance(guessWindowMs);
  const { version } = await writeByHand(world, "app", "set by hand");
  const found = await world.journal.read("app");
  if (!found) throw new Error("the target is not in the journal");
  const skipped = { at: world.now(), until: plus(world.now(), hour), why: "the server is silent" };
  await world.journal.commit({
    record: { ...found.record, skipped },
    etag: found.etag,
    wakeAt: undefined,
  });
  const { wakeAt } = await unblockTarget(world.ports(open), world.target, { ...by, version });
  expect(wakeAt).toBe(world.now());
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("The same key gets the same answer, although the target is no longer blocked", async () => {
  const { world } = await blocked();
  world.advance(guessWindowMs);
  const input = { ...by, key: { id: "once", request: "unblock" } };
  const first = await unblockTarget(world.ports(open), world.target, input);
  const again = await unblockTarget(world.ports(open), world.target, input);
  expect(again.result).toEqual(first.result);
  expect(first.result).toMatchObject({ why: expect.stringContaining("continues now") as string });
  const other = unblockTarget(world.ports(open), world.target, {
    ...input,
    key: { id: "once", request: "another" },
  });
  await expect(other).rejects.toThrow("already used");
});
