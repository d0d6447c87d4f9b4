import { type EventReader, toEvent } from "../core/events.ts";
import { spreadArrivals } from "../core/fleet/arrivals.ts";
import { usualSweep } from "../core/fleet/sweeps.ts";
import { decideWork } from "../core/lifecycle/decide.ts";
import type { ExposureOutcome } from "../core/lifecycle/exposure-outcome.ts";
import type { TargetRecord } from "../core/record/rotation.ts";
import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import { parseVaultEvent, type VaultEvent } from "../core/vault-event.ts";
import { JournalUnavailableError, type Unreadable, UnreadableRowError } from "../stores/journal.ts";
import type { Queue, WorkMessage } from "../stores/queue.ts";
import { type KnownAlarm, raiseAlarm } from "./alarm.ts";
import { expose, type ExposureInput } from "./inbox/expose.ts";
import { recordUse, type UseInput, type UseResult } from "./inbox/record-use.ts";
import { type Requested, requestRotation, type RotationInput } from "./inbox/request-rotation.ts";
import type { Ports } from "./ports.ts";
import { type Questions, questions } from "./queries/questions.ts";
import { sendNow, vaultHint, workOnMessage } from "./scheduling/messages.ts";
import { type Leftovers, registrar } from "./scheduling/register.ts";
import { sweep } from "./scheduling/sweep.ts";

/** Everything that can be asked of Keyturn, whoever asks. */
export interface Operations extends Questions {
  /** Sends a message for each target that is due; returns how many. */
  sweep(): Promise<number>;
  /** Does what is due for the target of a queue message; undefined stands for a message nobody can read. */
  work(message: WorkMessage | undefined, from?: "first"): Promise<void>;
  /** Takes a hint from Key Vault. What is to be done about it is decided when the target is looked at. */
  notice(event: unknown): Promise<void>;
  /** A message that the host gave up on. */
  giveUp(message: WorkMessage | undefined): Promise<void>;
  /** Makes a rotation due now; undefined when there is no such target. */
  request(targetId: string, wanted: RotationInput): Promise<Requested | undefined>;
  /** Takes a report that somebody saw the secret; undefined when there is no such target. */
  expose(targetId: string, seen: ExposureInput): Promise<ExposureOutcome | undefined>;
  /** Takes a report that the secret was used; undefined when there is no such target. */
  recordUse(targetId: string, used: UseInput): Promise<UseResult | undefined>;
}

export interface OperationsDeps {
  readonly ports: Omit<Ports, "emit">;
  readonly queue: Queue;
  /** For what a person, or a consumer that is refused, waits for; the other one, when absent. */
  readonly firstQueue?: Queue;
  readonly targets: readonly Target[];
  /** Name of the configured vault at this host. */
  readonly vaultAt: (host: string) => string | undefined;
  /** What a person must be told of the configuration at the moment. */
  readonly configAlarm?: () => KnownAlarm | undefined;
}

/** Rows that one sweep removes from the journal. */
const mostPruned = 100;

/** The operations of one process; each caller hands in the reader that hears what its call does. */
export function operations(of: OperationsDeps): (emit: EventReader) => Operations {
  const byId = new Map(of.targets.map((target) => [target.id, target]));
  const { firstQueue = of.queue } = of;
  const stores = { journal: of.ports.journal, queue: of.queue, firstQueue };
  const registerInTime = registrar(stores, of.targets);
  const told = new Set<string>();
  const leftAlone = new Set<string>();
  return (emit) => {
    const ports: Ports = { ...of.ports, emit };
    return {
      ...questions(ports, byId),
      async sweep() {
        const registered = registerInTime().then(async (leftovers) => {
          if (!leftovers) return;
          leftAlone.clear();
          for (const { id } of leftovers.unreadable) leftAlone.add(id);
          await reportLeftovers(ports, leftovers, told);
        });
        // What is due does not wait for rows that could not be written.
        await registered.catch(() => undefined);
        const { pace, sweepEvery = usualSweep } = of.ports;
        const arrivals = pace && spreadArrivals((vault) => pace.perWindow(vault), sweepEvery);
        const sent = await sweep(stores, {
          isKnown: (id) => byId.has(id),
          isReadable: (id) => !leftAlone.has(id),
          admit(id) {
            const target = byId.get(id);
            return target && arrivals ? arrivals.admit(target) : 0;
          },
        });
        await reportConfig(ports, of.configAlarm?.(), told);
        await prune(ports);
        await registered;
        return sent;
      },
      async work(message, from) {
        const queues = { queue: from === "first" ? firstQueue : of.queue, firstQueue };
        const unreadable = await workOnMessage(ports, queues, message, byId);
        if (message && !unreadable) leftAlone.delete(message.targetId);
        if (!message || !unreadable) return;
        leftAlone.add(message.targetId);
        await reportUnreadable(ports, { id: message.targetId, ...unreadable }, told);
      },
      notice: (event) => notice(ports, of, event),
      giveUp: (message) => giveUp(ports, message),
      async request(targetId, wanted) {
        const target = byId.get(targetId);
        if (!target) return undefined;
        const requested = await requestRotation(ports, target, wanted);
        await sendNow(ports, firstQueue, { targetId, because: "requested" }, requested.wakeAt);
        return requested;
      },
      async expose(targetId, seen) {
        const target = byId.get(targetId);
        return target && (await expose(ports, target, seen));
      },
      async recordUse(targetId, used) {
        const target = byId.get(targetId);
        return target && (await recordUse(ports, target, used));
      },
    };
  };
}

/** Removes some of what is older than the retention. That it failed matters to nobody: the next sweep goes on. */
async function prune(ports: Ports): Promise<void> {
  try {
    await ports.journal.prune(mostPruned);
  } catch (error) {
    const detail =
      error instanceof JournalUnavailableError ? error.message : "Old rows could not be removed.";
    const at = toInstant(ports.journal.now());
    ports.emit(toEvent({ type: "journal-unavailable", at, detail }));
  }
}

async function notice(ports: Ports, of: OperationsDeps, event: unknown): Promise<void> {
  const seen = parseVaultEvent(event);
  if (seen === "not about a secret") return;
  if (!seen) {
    await raiseAlarm(ports, "message-unreadable", "an event from Event Grid is unreadable");
    return;
  }
  const vault = of.vaultAt(seen.host);
  const name = seen.name.toLowerCase();
  for (const target of of.targets) {
    if (target.publish.vault !== vault || target.publish.name.toLowerCase() !== name) continue;
    if (await isNews(ports, target, seen)) {
      // Consumers may be refused since somebody wrote it.
      await (of.firstQueue ?? of.queue).send({ targetId: target.id, because: vaultHint });
    }
  }
}

/** Our own new version, or one we know already, is no reason to look; one that is due, or somebody else's, is. */
async function isNews(ports: Ports, target: Target, seen: VaultEvent): Promise<boolean> {
  const record = await readUnlessUnreadable(ports, target);
  if (!record) return true;
  if (decideWork(record, toInstant(ports.journal.now())) !== "wait") return true;
  const known = [record.published, record.rotation?.published];
  return known.every((one) => one?.version !== seen.version);
}

/** A row of a newer version must not swallow the event: the message leads to an instance that can read the row. */
async function readUnlessUnreadable(
  { journal }: Ports,
  { id }: Target,
): Promise<TargetRecord | undefined> {
  try {
    return (await journal.read(id))?.record;
  } catch (error) {
    if (error instanceof UnreadableRowError) return undefined;
    throw error;
  }
}

async function giveUp(ports: Ports, message: WorkMessage | undefined): Promise<void> {
  const what = message ? `${message.targetId} (${message.because})` : "something unreadable";
  const text = `the host gave up on a message to work on ${what}; the sweep goes on with the target`;
  await raiseAlarm(ports, "gave-up", text, message && { targetId: message.targetId });
}

async function reportConfig(
  ports: Ports,
  alarm: KnownAlarm | undefined,
  told: Set<string>,
): Promise<void> {
  if (!alarm || told.has(alarm.id)) return;
  await raiseAlarm(ports, alarm.kind, alarm.message, alarm);
  told.add(alarm.id);
}

/** Each of them once in the life of a process. */
async function reportLeftovers(
  ports: Ports,
  { unreadable, abandoned }: Leftovers,
  told: Set<string>,
): Promise<void> {
  for (const one of unreadable) await reportUnreadable(ports, one, told);
  for (const id of abandoned) {
    const text = `${id} left the configuration in the middle of a rotation; put it back to have it finished`;
    if (told.has(text)) continue;
    await raiseAlarm(ports, "gave-up", text, { targetId: id });
    told.add(text);
  }
}

/**
 * Once in the life of a process. A row of a newer version belongs to every rolling deployment, so it is a warning and no
 * alarm; a damaged one needs a person.
 */
async function reportUnreadable(
  ports: Ports,
  { id, why, isNewer }: Unreadable,
  told: Set<string>,
): Promise<void> {
  if (told.has(why)) return;
  const text = `${why} Nothing is done about the target until then.`;
  if (isNewer) {
    const at = toInstant(ports.journal.now());
    ports.emit(toEvent({ type: "left-alone", at, targetId: id, detail: text }));
  } else await raiseAlarm(ports, "journal-unavailable", text, { targetId: id });
  told.add(why);
}
