import { expect, test } from "vitest";
import { minute } from "../shared/core/time.ts";
import { makeOperations } from "../shared/engine/operations.ts";
import { makeMemoryQueue } from "../shared/stores/memory/memory-queue.ts";
import {
  type Gate,
  type Kind,
  kinds,
  makeWorld,
  pairAdmin,
  pairProof,
  pairSelf,
  singleAdmin,
  singleIdentity,
  singleSelf,
} from "./engine/world.ts";

/** The requests to other systems. Counted in one process with no other target. */
interface Cost {
  /** Log-ins to the target, including those of the admin. */
  readonly logIns: number;
  readonly transactions: number;
  readonly journalReads: number;
  readonly vaultCreates: number;
  readonly vaultReads: number;
  /** Updates in the vault: a version is disabled. */
  readonly vaultUpdates: number;
  readonly vaultLists: number;
  readonly queueSends: number;
  /** Writes of the sweep that seals entries of the ledger. The entries themselves are parts of transactions. */
  readonly sealings: number;
}

const nothing: Cost = {
  logIns: 0,
  transactions: 0,
  journalReads: 0,
  vaultCreates: 0,
  vaultReads: 0,
  vaultUpdates: 0,
  vaultLists: 0,
  queueSends: 0,
  sealings: 0,
};

const fieldOf: Readonly<Record<string, keyof Cost>> = {
  "journal.commit": "transactions",
  "journal.read": "journalReads",
  "ledger.log": "transactions",
  "ledger.add": "sealings",
  "ledger.clear": "sealings",
  "vault.write": "vaultCreates",
  "vault.read": "vaultReads",
  "vault.disable": "vaultUpdates",
  "vault.list": "vaultLists",
};

const fields = Object.keys(nothing) as (keyof Cost)[];

const plus = (a: Cost, b: Cost): Cost =>
  Object.fromEntries(fields.map((field) => [field, a[field] + b[field]])) as unknown as Cost;

/** A target that was adopted and rotated once, so that nothing happens for the first time. Alone: without consumer and notifier. */
async function metered(kind: Kind, { isAlone = false, hasHeartbeat = true } = {}) {
  const world = await makeWorld(kind);
  if (!hasHeartbeat) {
    Object.assign(world.target, { policy: { ...world.target.policy, verifyEvery: "none" } });
  }
  let counts = { ...nothing };
  let logInsBefore = 0;
  const gate: Gate = (effect, call) => {
    const field = fieldOf[effect];
    if (field) counts = { ...counts, [field]: counts[field] + 1 };
    return call();
  };
  const queue = makeMemoryQueue(world.now);
  const send: typeof queue.send = (message, delay) => {
    counts = { ...counts, queueSends: counts.queueSends + 1 };
    return queue.send(message, delay);
  };
  const { emit, ...ports } = world.ports(gate);
  const target = isAlone ? { ...world.target, consumers: [] } : world.target;
  const keyturn = makeOperations({
    ports: isAlone ? { ...ports, notifiers: [] } : ports,
    queue: { send },
    targets: [target],
    vaultAt: () => undefined,
  })(emit);

  /** Works on the queued messages, and returns the cost of everything since the last call. */
  async function settle(): Promise<Cost> {
    for (let message = queue.receive(); message; message = queue.receive()) {
      await keyturn.work(message);
    }
    const cost = { ...counts, logIns: world.system.logIns - logInsBefore };
    counts = { ...nothing };
    logInsBefore = world.system.logIns;
    return cost;
  }

  const request = () => keyturn.request("app", { reason: "operator", requestedBy: "test" });
  await keyturn.sweep();
  await request();
  await settle();
  // Seals the entries of the ledger.
  await keyturn.sweep();
  await settle();
  // Long enough for open connections to be closed.
  world.advance(minute);
  return { world, keyturn, request, settle };
}

/** The cost of a rotation without its request. */
const rotation: Cost = {
  ...nothing,
  logIns: 4,
  transactions: 7,
  journalReads: 1,
  vaultCreates: 2,
  vaultReads: 4,
  vaultUpdates: 1,
  vaultLists: 0,
  queueSends: 0,
};

/** The cost of a request: one write, and one message that saves waiting for the sweep. */
const request: Cost = { ...nothing, transactions: 1, journalReads: 1, queueSends: 1 };

test.each<[Kind, Partial<Cost>]>([
  [singleAdmin, {}],
  // One more log-in for the account to change, whose password is known.
  [pairAdmin, { logIns: 5, vaultReads: 5 }],
  [pairProof, { logIns: 5, vaultReads: 5 }],
  // There is no admin to read, examine and log in.
  [singleSelf, { logIns: 3 }],
  [pairSelf, { logIns: 4, vaultReads: 5 }],
  // Keyturn queries Azure instead of the server, without a log-in.
  [singleIdentity, { logIns: 3, vaultReads: 3 }],
])("A rotation on request costs a fixed number of calls: $name", async (kind, differs) => {
  const { request: ask, settle } = await metered(kind);
  await ask();
  expect(await settle()).toEqual(plus({ ...rotation, ...differs }, request));
});

test("Each rotation with the same admin after the first needs one read and one log-in less", async () => {
  const { request: ask, settle } = await metered(singleAdmin);
  await ask();
  await settle();
  await ask();
  const { logIns, vaultReads } = await settle();
  expect({ logIns, vaultReads }).toEqual({ logIns: 3, vaultReads: 3 });
});

test.each([singleAdmin, singleSelf, singleIdentity, pairAdmin, pairSelf])(
  "A rotation without consumers and notifiers needs five journal writes: $name",
  async (kind) => {
    const { request: ask, settle } = await metered(kind, { isAlone: true });
    await ask();
    const { transactions } = await settle();
    expect(transactions).toBe(5 + request.transactions);
  },
);

test("The ledger costs a rotation no write: its entries are parts of the transactions, and a sweep seals all of them with two writes", async () => {
  const { world, keyturn, request: ask, settle } = await metered(pairAdmin);
  const { ledger } = world.journal;
  for (let rotations = 0; rotations < 10; rotations++) {
    await ask();
    const { transactions, sealings } = await settle();
    expect({ transactions, sealings }).toEqual({ transactions: 8, sealings: 0 });
  }
  const entries = await ledger.unsealed(100);
  const actions = entries.map(({ entry }) => entry.action);
  expect(actions.filter((action) => action === "rotation.request")).toHaveLength(10);
  expect(actions.filter((action) => action === "rotation.end")).toHaveLength(10);
  await keyturn.sweep();
  expect(await settle()).toEqual({ ...nothing, sealings: 2 });
  expect(await ledger.unsealed(1)).toEqual([]);
});

test("A retirement without notifiers needs two journal writes, and so does each check", async () => {
  const { world, keyturn, settle } = await metered(pairProof, { isAlone: true });
  world.advance(world.target.grace);
  const transactions: number[] = [];
  for (let looks = 0; looks < 3; looks++) {
    await keyturn.sweep();
    transactions.push((await settle()).transactions);
    world.advance(11 * minute);
  }
  expect(transactions).toEqual([2, 2, 0]);
});

test("A scheduled rotation costs a message and no request", async () => {
  const { world, keyturn, settle } = await metered(singleAdmin);
  world.advance(91 * 24 * 60 * minute);
  await keyturn.sweep();
  // Keyturn counts the versions of both secrets once a week.
  const tidying = { ...nothing, vaultLists: 2 };
  expect(await settle()).toEqual(plus({ ...rotation, queueSends: 1 }, tidying));
});

test.each<[Kind, Partial<Cost>]>([
  [pairAdmin, {}],
  // Two checks that find no session, with the admin logged in.
  [pairProof, { logIns: 3, transactions: 5, vaultReads: 5, journalReads: 2, queueSends: 2 }],
])("A retirement costs a fixed number of calls: $name", async (kind, differs) => {
  const { world, keyturn, settle } = await metered(kind, { hasHeartbeat: false });
  world.advance(world.target.grace);
  let cost = nothing;
  for (let looks = 0; looks < 3; looks++) {
    await keyturn.sweep();
    cost = plus(cost, await settle());
    world.advance(11 * minute);
  }
  expect(cost).toEqual({
    ...nothing,
    logIns: 2,
    transactions: 3,
    journalReads: 1,
    vaultReads: 2,
    queueSends: 1,
    // The entry of the retirement.
    sealings: 2,
    ...differs,
  });
});

test.each(kinds)("A heartbeat costs a fixed number of calls: $name", async (kind) => {
  const { world, keyturn, settle } = await metered(kind);
  const retired = (await world.journal.read("app"))?.record.retirement?.at ?? world.now();
  world.advanceTo(retired);
  // Two checks for sessions may come before the retirement.
  for (let looks = 0; looks < 3; looks++) {
    await keyturn.sweep();
    await settle();
    world.advance(11 * minute);
  }
  for (let beats = 0; beats < 3; beats++) {
    world.advanceTo((await world.journal.read("app"))?.record.heartbeat?.at ?? "");
    await keyturn.sweep();
    expect(await settle()).toEqual({
      ...nothing,
      ...{ logIns: 1, transactions: 2, journalReads: 1, vaultReads: 1, queueSends: 1 },
    });
  }
});

test("A verification on request costs one log-in and two journal writes, and no message", async () => {
  const { keyturn, settle } = await metered(pairAdmin);
  await keyturn.verify("app");
  expect(await settle()).toEqual({
    ...nothing,
    ...{ logIns: 1, transactions: 2, journalReads: 1, vaultReads: 1 },
  });
});

test("A sweep that finds nothing due costs no message, log-in or vault call", async () => {
  const { keyturn, settle } = await metered(pairAdmin);
  await keyturn.sweep();
  expect(await settle()).toEqual(nothing);
});
