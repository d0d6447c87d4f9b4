import { readFileSync } from "node:fs";
import { QueueClient } from "@azure/storage-queue";
import { parseHostJson } from "../../local/host/host-json.ts";
import { createMessageHandler } from "../../local/host/queues/message-handler.ts";
import { parsePayload } from "../../shared/core/payload/payload.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { Target } from "../../shared/core/target.ts";
import { makeOperations, type Operations } from "../../shared/engine/operations.ts";
import type { Journal } from "../../shared/stores/journal.ts";
import { makeStorageQueue } from "../../shared/stores/storage-queue.ts";
import { parseWorkMessage } from "../../shared/stores/work-message.ts";
import { type Gate, makeWorld, open, singleAdmin, type World } from "../engine/world.ts";
import type { AzuriteTables } from "../stores/azurite-tables.ts";

/** The settings of the product, except that a failed message is delivered again at once. */
const { queues } = parseHostJson(
  readFileSync(new URL("../../host.json", import.meta.url), "utf8"),
  {
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: "00:00:00",
  },
).extensions;

/** Seconds; longer than any test. */
const leaseSeconds = 600;

const queueNames = ["", "-first", "-poison", "-first-poison"] as const;

/** What follows the name of the work queue. */
export type QueueName = (typeof queueNames)[number];

/** The functions that take messages. */
export type Functions = Pick<Operations, "work" | "giveUp">;

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/**
 * Targets whose journal and queues are in Azurite, used with the official clients. Their accounts and their vault are in
 * memory. Close it at the end.
 */
export async function startFleet(tables: AzuriteTables, ids: readonly string[]) {
  const proxy = await tables.proxied();
  const { connectionString } = proxy;
  const world = await makeWorld(singleAdmin);
  world.advanceTo(new Date().toISOString());
  const targets = await Promise.all(ids.map((id) => makeTarget(world, id)));
  const { table, client, journal: clock } = tables.open({ connectionString });
  const queueOf = (name: QueueName) => new QueueClient(connectionString, `${table}${name}`);
  for (const name of queueNames) await queueOf(name).create();
  let ahead = 0;

  async function rows(kind: string): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for await (const row of client.listEntities()) {
      if (row.rowKey?.startsWith(`${kind}:`) === true) found.push(row);
    }
    return found;
  }

  /** A process that has just started. */
  function start(gate: Gate = open, wrap: (journal: Journal) => Partial<Journal> = () => ({})) {
    const { emit, ...ports } = world.ports(gate);
    const { journal } = tables.open({ connectionString, table });
    return makeOperations({
      ports: { ...ports, journal: { ...journal, ...wrap(journal) } },
      queue: makeStorageQueue({ connectionString }, table),
      firstQueue: makeStorageQueue({ connectionString }, `${table}-first`),
      targets,
      vaultAt: () => "main",
    })(emit);
  }

  return {
    ids,
    start,
    queueOf,
    rows,
    /** The connection to the table. */
    proxy,
    close: () => proxy.close(),
    /** The timer fires, in a process that has just started. */
    sweep: () => start().sweep(),
    /** Delivers the visible messages of a queue until none is left. Returns the target of each delivery. */
    deliver: (name: QueueName = "", to: Functions = start(), batchSize = queues.batchSize) =>
      deliver(queueOf, name, to, batchSize),
    /** Moves the clock of the storage service, which is the clock of all processes. */
    async pass(milliseconds: number) {
      ahead += milliseconds;
      proxy.changeDate((date) => new Date(Date.parse(date) + ahead).toUTCString());
      await clock.read("nobody");
      world.advanceTo(clock.now().toISOString());
    },
    /** The number of messages in a queue, visible or not. */
    count: async (name: QueueName = "") =>
      (await queueOf(name).getProperties()).approximateMessagesCount,
    /** The mark in each due row: how many messages were sent about it. */
    marks: async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        (await rows("due")).map((row): [string, unknown] => [String(row["targetId"]), row["sent"]]),
      ),
    /** Describes what happened to each target since the start, from the table, the vault and the account. */
    async outcomes() {
      const runs = Map.groupBy(await rows("run"), (row) => row["targetId"]);
      return ids.map((id) => ({
        id,
        rotations: runs.get(id)?.map((row) => row["state"]) ?? [],
        published: world.vault.versions(`${id}-db`).length - 1,
        isAccepted: isPublishedAccepted(world, id),
      }));
    },
  };
}

async function makeTarget({ system, vault, target }: World, id: string): Promise<Target> {
  const password = `first-secret-of-${id}`;
  system.passwords.set(id, new Secret(password));
  const value = new Secret(JSON.stringify({ username: id, password }));
  const publish = { ...target.publish, name: `${id}-db` };
  const content = { value, contentType: "application/json", tags: {} };
  await vault.write(publish.name, content, new AbortController().signal);
  return { ...target, id, slots: [{ account: id }], publish, consumers: [] };
}

function isPublishedAccepted({ system, vault }: World, id: string): boolean {
  const newest = vault.versions(`${id}-db`).at(-1);
  const credential = newest && parsePayload(newest.value, [id]);
  return credential !== undefined && system.passwords.get(id)?.equals(credential.secret) === true;
}

/** As the local host does it: counts deliveries, and moves a message to the poison queue after too many. */
async function deliver(
  queueOf: (name: QueueName) => QueueClient,
  name: QueueName,
  to: Functions,
  batchSize: number,
): Promise<string[]> {
  const targetIds: string[] = [];
  const poison = queueNames.find((other) => other === `${name}-poison`);
  const queue = queueOf(name);
  const metadata = { name: poison ? "rotate" : "poisoned", bindings: {} };
  const registered = { id: metadata.name, metadata, callback: () => undefined };
  const invoker = {
    async invoke({ input }: { readonly input: { readonly string?: string } }) {
      const message = parseWorkMessage(JSON.parse(input.string ?? ""));
      targetIds.push(message?.targetId ?? "unreadable");
      await (poison ? to.work(message) : to.giveUp(message));
      return { invocationId: "1", outputData: [] };
    },
    drained: () => Promise.resolve(true),
  };
  const handle = createMessageHandler(
    { registered, queueName: queue.name, queue, poison: poison ? queueOf(poison) : undefined },
    { invoker, queues, leaseSeconds, log: () => undefined },
  );
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({
      numberOfMessages: batchSize,
      visibilityTimeout: leaseSeconds,
    });
    if (receivedMessageItems.length === 0) return targetIds;
    await Promise.all(receivedMessageItems.map(handle));
  }
}
