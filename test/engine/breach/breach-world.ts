import { createHash } from "node:crypto";
import { makeMemoryConsumer } from "../../../shared/consumers/memory-consumer.ts";
import type { BreachSelection } from "../../../shared/core/breach/breach.ts";
import type { BreachTargetView } from "../../../shared/core/breach/views.ts";
import { ChangeRefusedError, TargetUnavailableError } from "../../../shared/core/errors.ts";
import type { KeyturnEvent } from "../../../shared/core/events.ts";
import { parsePayload } from "../../../shared/core/payload/payload.ts";
import { defaultPasswordRules } from "../../../shared/core/secrets/password.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { Target } from "../../../shared/core/target.ts";
import { day, minute, plus, second } from "../../../shared/core/time.ts";
import { makeOperations, type Operations } from "../../../shared/engine/operations.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { makeMemoryNotifier } from "../../../shared/notifiers/memory-notifier.ts";
import { makeMemoryRotator, makeMemorySystem } from "../../../shared/rotators/memory.ts";
import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { makeMemoryQueue } from "../../../shared/stores/memory/memory-queue.ts";
import { makeMemoryVault } from "../../../shared/vaults/memory-vault.ts";
import { type Gate, open } from "../world.ts";

/** One target of the fleet. */
export interface Member {
  readonly id: string;
  /** Default: a single account. */
  readonly kind?: "single" | "pair" | "pair-self";
  /** Default: `db-1`. */
  readonly host?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly consumers?: readonly string[];
}

export type BreachWorld = Awaited<ReturnType<typeof makeBreachWorld>>;

/** Many targets in memory, with queues and a clock that only tests move. All are adopted. */
export async function makeBreachWorld(members: readonly Member[]) {
  let time = Date.parse("2026-01-01T00:00:00.000Z");
  let [ids, draws, lastSweep, passes] = [0, 0, 0, 0];
  const clock = () => new Date(time);
  const now = () => clock().toISOString();
  const system = makeMemorySystem(() => time);
  const vault = makeMemoryVault({ name: "main", now: clock });
  const journal = makeMemoryJournal({ now: clock });
  const notifier = makeMemoryNotifier();
  const consumer = makeMemoryConsumer("app");
  const events: KeyturnEvent[] = [];
  const [queue, firstQueue] = [makeMemoryQueue(now), makeMemoryQueue(now)];
  /** Hosts that do not answer, and accounts that nobody may change. */
  const [dead, refused] = [new Set<string>(), new Set<string>()];
  /** The passwords before the first breach. */
  const first = new Map<string, string>();
  const targets = members.map(makeTarget);
  await seed();

  async function seed() {
    const never = new AbortController().signal;
    const store = (name: string, account: string, password: string) =>
      vault.write(
        name,
        {
          value: new Secret(JSON.stringify({ username: account, password })),
          contentType: "application/json",
          tags: {},
        },
        never,
      );
    system.passwords.set("admin", new Secret("secret-of-admin"));
    system.admins.add("admin");
    await store("admin", "admin", "secret-of-admin");
    for (const { slots, publish } of targets) {
      for (const { account, initial } of slots) {
        const password = `first-secret-of-${account}`;
        system.passwords.set(account, new Secret(password));
        first.set(account, password);
        await store(initial?.name ?? publish.name, account, password);
      }
    }
    const keyturn = instance();
    await keyturn.sweep();
    for (let message = receive(); message; message = receive()) await keyturn.work(message);
    lastSweep = time;
  }

  function receive() {
    return firstQueue.receive() ?? queue.receive();
  }

  function rotator(gate: Gate): Ports["rotator"] {
    const memory = makeMemoryRotator(system);
    const reach = async (options: unknown, account?: string) => {
      await Promise.resolve();
      if (dead.has(hostOf(options))) throw new TargetUnavailableError("the server does not answer");
      if (account !== undefined && refused.has(account)) {
        throw new ChangeRefusedError(`admin may not change ${account}`);
      }
    };
    return () => ({
      ...memory,
      endpoint: (options) => ({ engine: "memory", host: hostOf(options), port: 5432 }),
      apply: (change, signal) =>
        gate("target.apply", async () => {
          await reach(change.options, change.next.account);
          return memory.apply({ ...change, options: {} }, signal);
        }),
      verify: (check, signal) =>
        gate("target.verify", async () => {
          await reach(check.options);
          return memory.verify({ ...check, options: {} }, signal);
        }),
      examine: (look, signal) =>
        gate("target.examine", async () => {
          await reach(look.options);
          return (await memory.examine?.({ ...look, options: {} }, signal)) ?? "rejected";
        }),
      retire: (call, signal) =>
        gate("target.retire", async () => {
          await reach(call.options);
          await memory.retire?.({ ...call, options: {} }, signal);
        }),
      hasSessions: async () => Promise.resolve(false),
    });
  }

  /** One instance of the app. Its calls go through the gate. `known`: the targets of its configuration. */
  function instance(gate: Gate = open, known: readonly Target[] = targets): Operations {
    const ports: Omit<Ports, "emit"> = {
      journal: {
        ...journal,
        commit: (change) => gate("journal.commit", () => journal.commit(change)),
        addBreach: (breach, items, entries) =>
          gate("journal.addBreach", () => journal.addBreach(breach, items, entries)),
        commitBreach: (change) => gate("journal.commitBreach", () => journal.commitBreach(change)),
        breach: (id) => gate("journal.breach", () => journal.breach(id)),
        breachItems: (id, wanted) =>
          gate("journal.breachItems", () => journal.breachItems(id, wanted)),
      },
      vault: () => vault,
      followers: () => [],
      getToken: () => Promise.reject(new Error("this world has no identity")),
      rotator: rotator(gate),
      consumer: () => consumer,
      notifiers: [
        {
          name: notifier.name,
          send: (news, signal) => gate("notifier.send", () => notifier.send(news, signal)),
        },
      ],
      targetsUsing: () => [],
      newId: () => `01TEST${String(++ids).padStart(20, "0")}`,
      randomBytes: (count) =>
        createHash("sha512").update(`draw ${draws++}`).digest().subarray(0, count),
      pause: () => Promise.resolve(),
      deadline: () => new AbortController().signal,
    };
    const send = (to: typeof queue): typeof queue => ({
      ...to,
      send: (message, delay) => gate("queue.send", () => to.send(message, delay)),
    });
    const queues = { queue: send(queue), firstQueue: send(firstQueue) };
    return makeOperations({ ports, ...queues, targets: known, vaultAt: () => "main" })((event) => {
      events.push(event);
    });
  }

  /** Does what is due until nothing is left to do now. */
  async function settle(keyturn: Operations): Promise<void> {
    for (let message = receive(); message; message = receive()) await keyturn.work(message);
  }

  /** Lets time pass, second by second, with a sweep every minute. */
  async function pass(milliseconds: number, keyturn = instance()): Promise<void> {
    const end = time + milliseconds;
    const mine = ++passes;
    while (mine === passes) {
      if (time - lastSweep >= minute) {
        lastSweep = time;
        await keyturn.sweep();
      }
      await settle(keyturn);
      if (time >= end) return;
      time += second;
    }
  }

  return {
    ...{ targets, system, vault, journal, notifier, events, queue, firstQueue, dead, refused },
    instance,
    now,
    pass,
    settle,
    receive,
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    /** Ends the present `pass`, as if its process had died. */
    stop: () => {
      passes++;
    },
    later: (milliseconds: number) => plus(now(), milliseconds),
    /** Whether the account still has the password from before. */
    hasOldPassword: (account: string) =>
      system.passwords.get(account)?.reveal() === first.get(account),
    /** Whether the published secret of the target logs in. */
    publishedWorks(target: Target): boolean {
      const newest = vault.versions(target.publish.name).at(-1);
      if (!newest?.enabled) return false;
      const found = parsePayload(
        newest.value,
        target.slots.map(({ account }) => account),
      );
      return (
        found !== undefined && (system.passwords.get(found.account)?.equals(found.secret) ?? false)
      );
    },
    find(id: string): Target {
      const target = targets.find((one) => one.id === id);
      if (!target) throw new Error(`no target ${id}`);
      return target;
    },
  };
}

function hostOf(options: unknown): string {
  const host: unknown =
    typeof options === "object" && options !== null && Reflect.get(options, "host");
  return typeof host === "string" ? host : "db-1";
}

function makeTarget({ id, kind = "single", host = "db-1", tags = {}, consumers }: Member): Target {
  const second = kind === "single" ? [] : [{ vault: "main", name: `${id}-second` }];
  return {
    id,
    type: "memory",
    options: { host },
    slots: [
      { account: kind === "single" ? id : `${id}_a` },
      ...second.map((initial) => ({ account: `${id}_b`, initial })),
    ],
    authority:
      kind === "pair-self"
        ? { as: "self" }
        : { as: "admin", secret: { vault: "main", name: "admin" } },
    publish: { vault: "main", name: `${id}-secret`, as: "json" },
    policy: {
      name: "test",
      every: 90 * day,
      password: defaultPasswordRules,
      retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * 60 * minute },
      verifyEvery: "none",
    },
    policyWhy: "named by the target",
    policiesPassedOver: [],
    grace: day,
    consumers: consumers ?? [],
    tags,
  };
}

/** Previews and confirms a breach, and returns its id. */
export async function startBreach(
  keyturn: Operations,
  selection: BreachSelection,
  how: {
    readonly force?: boolean;
    readonly liftFreezes?: boolean;
    readonly giveUpAfter?: number;
  } = {},
): Promise<string> {
  const { force = false, liftFreezes = false, giveUpAfter } = how;
  const { id } = await keyturn.previewBreach({
    by: "ada",
    reason: "host compromised",
    selection,
    ...(giveUpAfter !== undefined && { giveUpAfter }),
  });
  await keyturn.confirmBreach(id, { by: "ada", force, liftFreezes });
  return id;
}

/** The targets of a breach by their state, in their order. */
export async function readStates(
  keyturn: Operations,
  id: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const page = await keyturn.breachTargets(id, { limit: 10_000 });
  const groups = Map.groupBy(page?.items ?? [], ({ state }) => state);
  return Object.fromEntries(
    [...groups].map(([state, items]) => [state, items.map(({ target }) => target)]),
  );
}

/** Selects every target. */
export const everywhere = { type: "memory" };

export const plainly = { by: "ada", force: false, liftFreezes: false };

/** Targets with single accounts on one host. */
export function makeMembers(count: number, host = "db-1"): readonly Member[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${host}-${String(index).padStart(3, "0")}`,
    host,
  }));
}

/** Makes a preview, and returns its id. */
export async function preview(
  world: BreachWorld,
  selection: BreachSelection = everywhere,
): Promise<string> {
  const wanted = { by: "ada", reason: "host compromised", selection };
  return (await world.instance().previewBreach(wanted)).id;
}

export async function readReport(
  world: BreachWorld,
  id: string,
): Promise<ReadonlyMap<string, BreachTargetView>> {
  const page = await world.instance().breachTargets(id, { limit: 10_000 });
  return new Map((page?.items ?? []).map((item) => [item.target, item]));
}
