import { describe, expect, test } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import type { LedgerEntry } from "../../../shared/core/ledger/entry.ts";
import { hour, minute } from "../../../shared/core/time.ts";
import { makeOperations } from "../../../shared/engine/operations.ts";
import { makeMemoryQueue } from "../../../shared/stores/memory/memory-queue.ts";
import { adopted, failing, request, rotate, setPassword, work } from "../steps.ts";
import { makeWorld, open, pairAdmin, singleAdmin, singleSelf, type World } from "../world.ts";
import { readLedger } from "./read-ledger.ts";

const shape = ({ by, action, outcome }: LedgerEntry) => `${by} ${action} ${outcome}`;
const shapes = async (world: World) => (await readLedger(world.journal)).map(shape);
const lastOf = async (world: World, action: string) =>
  (await readLedger(world.journal)).findLast((entry) => entry.action === action);

function operations(world: World, target = world.target) {
  const { emit, ...ports } = world.ports(open);
  return makeOperations({
    ports,
    queue: makeMemoryQueue(world.now),
    targets: [target],
    vaultAt: () => undefined,
  })(emit);
}

describe("the ledger records", () => {
  test("An adoption, a request, the end of its rotation and the retirement, each once", async () => {
    const world = await adopted(pairAdmin);
    world.advance(minute);
    const id = await rotate(world);
    world.advance(world.target.grace + hour);
    await work(world);
    expect(await shapes(world)).toEqual([
      "keyturn credential.adopt succeeded",
      "test rotation.request accepted",
      "test rotation.end succeeded",
      "keyturn credential.retire succeeded",
    ]);
    const entries = await readLedger(world.journal);
    expect(entries.map(({ rotations }) => rotations)).toEqual([undefined, [id], [id], [id]]);
    expect(entries.every(({ targets }) => targets?.[0] === "app")).toBe(true);
    expect(entries.at(2)).toMatchObject({
      cause: "operator",
      detail: expect.stringContaining("account app_b") as string,
    });
    expect(new Set(entries.map((one) => one.id)).size).toBe(4);
  });

  test("A rotation by schedule, which nobody requested", async () => {
    const world = await adopted(singleAdmin);
    world.advance(91 * 24 * hour);
    await work(world);
    expect((await shapes(world)).at(-1)).toBe("schedule rotation.end succeeded");
  });

  test("A failed rotation with its failure, and a blocked one", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    await work(
      world,
      failing("target.apply", 1, () => new ChangeRefusedError("no privilege")),
    );
    expect(await lastOf(world, "rotation.end")).toMatchObject({
      outcome: "failed",
      detail: expect.stringContaining("change-refused: no privilege") as string,
    });
    const self = await adopted(singleSelf);
    await request(self);
    setPassword(self, "app", "changed-by-somebody");
    await work(self);
    expect(await lastOf(self, "rotation.end")).toMatchObject({ outcome: "blocked" });
  });

  test("What callers change, with who and why", async () => {
    const world = await adopted(pairAdmin);
    const keyturn = operations(world);
    const until = "2026-01-03T00:00:00.000Z";
    await keyturn.expose("app", {
      by: "mallory",
      from: "a log",
      kind: "exposure",
      origin: { by: "scanner", ticket: "SEC-1" },
    });
    await keyturn.recordUse("app", { by: "job-7", origin: { by: "function key" } });
    await keyturn.pause("app", { reason: "move", ticket: "OPS-2", by: "anna", until });
    await keyturn.resume("app", { by: "ben", reason: "done" });
    await keyturn.request("app", {
      ...{ reason: "exposure", requestedBy: "cleo", grace: 0, force: "leaked" },
      justification: { reason: "on Slack" },
    });
    const entries = (await readLedger(world.journal)).slice(1);
    expect(entries).toMatchObject([
      {
        ...{ by: "scanner", action: "exposure.report", cause: "exposure", ticket: "SEC-1" },
        detail: "seen by mallory in a log",
      },
      { by: "function key", action: "use.report", detail: "used by job-7" },
      {
        ...{ by: "anna", action: "target.pause", reason: "move", ticket: "OPS-2" },
        detail: `until ${until}`,
      },
      {
        ...{ by: "ben", action: "target.resume", reason: "done" },
        detail: expect.stringContaining("paused by anna") as string,
      },
      {
        ...{ by: "cleo", action: "rotation.request", cause: "exposure", reason: "on Slack" },
        detail: expect.stringMatching(
          /^grace 0ms; Requested by cleo .*pause overridden by cleo/,
        ) as string,
      },
    ]);
  });

  test("A freeze, with the targets that it applies to", async () => {
    const world = await adopted(singleAdmin);
    const keyturn = operations(world, { ...world.target, tags: { env: "prod" } });
    const wanted = {
      by: "anna",
      reason: "audit week",
      lift: ["breach"],
      until: "2026-01-08T00:00:00.000Z",
    } as const;
    const freeze = await keyturn.freeze({
      ...wanted,
      selection: { policy: "test", tags: [["env", "prod"]] },
    });
    await keyturn.freeze({ ...wanted, selection: {} });
    await keyturn.endFreeze(freeze.id, { by: "ben" });
    await keyturn.endFreeze(freeze.id, { by: "cleo" });
    expect((await readLedger(world.journal)).slice(1)).toMatchObject([
      {
        by: "anna",
        action: "freeze.set",
        reason: "audit week",
        selection: "policy test, tag env=prod",
      },
      { action: "freeze.set", selection: "every target" },
      { by: "ben", action: "freeze.end", detail: expect.stringContaining(freeze.id) as string },
    ]);
  });

  test("Nothing for a request that changes nothing", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const before = await shapes(world);
    await request(world);
    await operations(world).resume("app", { by: "ben" });
    await operations(world).verify("app");
    expect(await shapes(world)).toEqual(before);
  });

  test("Texts of callers as one line that a terminal can show, cut to a limit", async () => {
    const world = await makeWorld(singleAdmin);
    const reason = `line\nfeed \u001b[31m${"x".repeat(5_000)}`;
    await operations(world).pause("app", {
      reason,
      by: "a\u0000b",
      until: "2026-01-03T00:00:00.000Z",
    });
    const entry = await lastOf(world, "target.pause");
    expect(entry?.by).toBe("a\\u0000b");
    expect(entry?.reason).toMatch(/^line\\u000afeed \\u001b\[31mx+$/);
    expect(entry?.reason?.length).toBeLessThanOrEqual(1_000);
  });
});

test("A sweep seals what waits", async () => {
  const world = await adopted(singleAdmin);
  const keyturn = operations(world);
  await keyturn.sweep();
  expect(await world.journal.ledger.unsealed(1)).toEqual([]);
  expect((await world.journal.ledger.latest())?.sequence).toBe(1);
});
