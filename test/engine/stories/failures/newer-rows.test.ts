import { describe, expect, test } from "vitest";
import type { KeyturnEvent } from "../../../../shared/core/events.ts";
import type { Target } from "../../../../shared/core/target.ts";
import { requestRotation } from "../../../../shared/engine/inbox/request-rotation.ts";
import { makeOperations } from "../../../../shared/engine/operations.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import {
  type Journal,
  type Unreadable,
  UnreadableRowError,
} from "../../../../shared/stores/journal.ts";
import { makeMemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { adopted, keyed, readRecord, request } from "../../steps.ts";
import { open, singleAdmin, type World } from "../../world.ts";

const newer = {
  id: "app",
  why: "The journal's row of target app was written by a newer version of Keyturn (schema 3; this instance knows 2). Finish the deployment.",
  isNewer: true,
};
const damaged = {
  id: "app",
  why: "The journal's row of target app cannot be read: claim. Correct the row, or restore it from a backup.",
  isNewer: false,
};

/** A process that cannot read the row of target `app`, and can read that of `other`. */
function processWith(world: World, { id, why, isNewer }: Unreadable) {
  const other: Target = { ...world.target, id: "other" };
  const { emit: _, ...ports } = world.ports(open);
  const unreadable = () => Promise.reject(new UnreadableRowError(why, isNewer));
  const journal: Journal = {
    ...ports.journal,
    read: (target) => (target === id ? unreadable() : ports.journal.read(target)),
    targets: async () => {
      const { records } = await ports.journal.targets();
      return {
        records: records.filter(({ targetId }) => targetId !== id),
        unreadable: [{ id, why, isNewer }],
      };
    },
  };
  const queue = makeMemoryQueue(world.now);
  const events: KeyturnEvent[] = [];
  const process = makeOperations({
    ports: { ...ports, journal },
    queue,
    targets: [world.target, other],
    vaultAt: () => "main",
  })((event) => events.push(event));
  const ids = () => queue.messages.map(({ message }) => message.targetId);
  return { process, journal, ids, events, ports: { ...ports, journal, emit: () => undefined } };
}

const types = (events: readonly KeyturnEvent[]) => events.map(({ type }) => type);

describe("A target whose row a newer version of Keyturn wrote", () => {
  test("A target with a newer row is not worked on, and causes one warning in the life of a process and no alarm", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const before = await world.journal.read("app");
    const { process, events } = processWith(world, newer);
    for (let round = 0; round < 3; round++) {
      await process.sweep();
      await process.work({ targetId: "app", because: "due" });
    }
    expect(events.filter(({ targetId }) => targetId === "app")).toMatchObject([
      {
        type: "left-alone",
        severity: "warning",
        detail: `${newer.why} Keyturn does not process the target until this is fixed.`,
      },
    ]);
    expect(await world.journal.alarms(9)).toEqual([]);
    expect(await world.journal.read("app")).toEqual(before);
  });

  test("A target with a newer row does not keep the sweep from other targets, which come first", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const { process, ids } = processWith(world, newer);
    expect(await process.sweep()).toBe(2);
    expect(ids()).toEqual(["other", "app"]);
  });

  test("A target with a newer row is shown with the reason, both in the list and by itself", async () => {
    const world = await adopted(singleAdmin);
    const { process } = processWith(world, newer);
    const seen = { id: "app", health: "unreadable", unreadable: newer.why };
    expect(await process.targets()).toMatchObject({
      items: [seen, { id: "other", health: "new" }],
    });
    expect(await process.target("app")).toMatchObject({ ...seen, passedOver: [] });
    expect(await process.isHealthy()).toBe(true);
  });

  test("A target with a newer row accepts no request, exposure or use, and the error gives the reason", async () => {
    const world = await adopted(singleAdmin);
    const before = await world.journal.read("app");
    const { process } = processWith(world, newer);
    const wanted = { reason: "operator", requestedBy: "anna", key: keyed("k") } as const;
    await expect(process.request("app", wanted)).rejects.toThrow(newer.why);
    await expect(process.expose("app", { by: "ben", kind: "breach" })).rejects.toThrow(newer.why);
    await expect(process.recordUse("app", {})).rejects.toThrow(newer.why);
    expect(await world.journal.read("app")).toEqual(before);
  });

  test("A vault event about a target with a newer row is passed on to an instance that can read the row", async () => {
    const world = await adopted(singleAdmin);
    const { process, ids } = processWith(world, newer);
    await process.notice({
      id: "1",
      eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
      eventTime: world.now(),
      subject: "app-db",
      dataVersion: "1",
      metadataVersion: "1",
      topic: "/x",
      data: {
        Id: "https://main.vault.azure.net/secrets/app-db/0123456789abcdef0123456789abcdef",
        VaultName: "main",
        ObjectType: "Secret",
        ObjectName: "app-db",
        Version: "0123456789abcdef0123456789abcdef",
      },
    });
    expect(ids()).toContain("app");
  });

  test("A target with a newer row prevents the rotation of its admin", async () => {
    const world = await adopted(singleAdmin);
    const { ports } = processWith(world, newer);
    const admin: Target = { ...world.target, id: "admin" };
    const shared = { ...ports, targetsUsing: () => [world.target] };
    await workOn(shared, admin);
    await requestRotation(shared, admin, { reason: "operator", requestedBy: "anna" });
    await workOn(shared, admin);
    const record = (await world.journal.read("admin"))?.record;
    expect(record?.rotation).toBeUndefined();
    expect(record?.request?.notBefore).toBeDefined();
  });

  test("A worker that read the row before it was upgraded leaves the target without an error", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const { process, journal, events } = processWith(world, newer);
    const mine = await world.journal.read("app");
    let isNewer = false;
    const read: Journal["read"] = (id) =>
      id === "app" && !isNewer ? world.journal.read(id) : journal.read(id);
    const commit: Journal["commit"] = async (change) => {
      const etag = await world.journal.commit(change);
      // The next write meets a row that another instance has written.
      if (change.record.targetId === "app" && !isNewer) {
        isNewer = true;
        await world.journal.commit({ ...change, etag });
      }
      return etag;
    };
    const { emit: _, ...ports } = world.ports(open);
    const worker = makeOperations({
      ports: { ...ports, journal: { ...journal, read, commit } },
      queue: makeMemoryQueue(world.now),
      targets: [world.target],
      vaultAt: () => "main",
    })((event) => events.push(event));
    await worker.work({ targetId: "app", because: "due" });
    expect(types(events).at(-1)).toBe("left-alone");
    expect(world.applied.size).toBe(0);
    expect((await readRecord(world)).rotation?.id).toBe(mine?.record.request?.rotationId);
    await process.sweep();
  });
});

describe("A target whose row is damaged", () => {
  test("A target with a damaged row raises one alarm in the life of a process", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const { process, events } = processWith(world, damaged);
    for (let round = 0; round < 3; round++) {
      await process.sweep();
      await process.work({ targetId: "app", because: "due" });
    }
    expect(await world.journal.alarms(9)).toMatchObject([
      {
        kind: "journal-unavailable",
        targetId: "app",
        message: `${damaged.why} Keyturn does not process the target until this is fixed.`,
      },
    ]);
    expect(types(events).filter((type) => type === "left-alone")).toEqual([]);
  });
});
