import { type EventReader, toEvent } from "../core/events.ts";
import { spreadArrivals } from "../core/fleet/arrivals.ts";
import { usualSweep } from "../core/fleet/sweeps.ts";
import { decideWork } from "../core/lifecycle/decide.ts";
import type { ExposureOutcome } from "../core/lifecycle/exposure-outcome.ts";
import type { RequestKind } from "../core/limits/token-bucket.ts";
import type { Verified } from "../core/looks/verified.ts";
import {
  type Justification,
  type JustificationRules,
  requireJustification,
} from "../core/record/justification.ts";
import type { TargetRecord } from "../core/record/record.ts";
import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import { parseVaultEvent, type VaultEvent } from "../core/vault-event.ts";
import { JournalUnavailableError, UnreadableRowError } from "../stores/journal.ts";
import type { Queue, WorkMessage } from "../stores/queue.ts";
import type { Admission, RequestLimiter } from "../stores/request-limiter.ts";
import { type KnownAlarm, raiseAlarm } from "./alarm.ts";
import { advanceBreach } from "./breach/advance.ts";
import { type Breaching, makeBreaching } from "./breach/breaching.ts";
import { wakeBreaches, workOnBreach } from "./breach/wake-breaches.ts";
import { dryRun, type DryRunOutcome } from "./dry-run/dry-run.ts";
import { type FindTarget, makeFindTarget, makeFreezes } from "./fleet/frozen-targets.ts";
import { type Cancelling, makeCancelling } from "./inbox/cancel.ts";
import { expose, type ExposureInput } from "./inbox/expose.ts";
import { type Freezing, makeFreezing } from "./inbox/freezing.ts";
import { type Giving, makeGiving } from "./inbox/giving.ts";
import { makePausing, type Pausing } from "./inbox/pausing.ts";
import { recordUse, type UseInput, type UseResult } from "./inbox/record-use.ts";
import type { RequestKey } from "./inbox/request-key.ts";
import { type Requested, requestRotation, type RotationInput } from "./inbox/request-rotation.ts";
import { makeLedgerKeeper } from "./ledger/keep.ts";
import { makeRefusals, type Refused } from "./ledger/refusals.ts";
import type { Ports } from "./ports.ts";
import { type LedgerQuestions, makeLedgerQuestions } from "./queries/ledger.ts";
import { makeQuestions, type Questions } from "./queries/questions.ts";
import { makeBreachReport, noteLeftovers, reportTarget } from "./report-unreadable.ts";
import { sendIfDue, sendNow, vaultHint, workOnMessage } from "./scheduling/messages.ts";
import { makeRegistrar } from "./scheduling/register.ts";
import { sweep } from "./scheduling/sweep.ts";
import type { Busy } from "./work/busy.ts";
import { verifyPublished } from "./work/verify.ts";

/** Everything that Keyturn can do, for every kind of caller. */
export interface Operations
  extends Questions, LedgerQuestions, Pausing, Freezing, Breaching, Giving, Cancelling {
  /** Sends a message for each target that is due. Returns the number of messages. */
  sweep(): Promise<number>;
  /** Does the due work for the target of a queue message. `undefined` stands for an unreadable message. */
  work(message: WorkMessage | undefined, from?: "first"): Promise<void>;
  /** Accepts a Key Vault event. The worker that checks the target later decides what to do about it. */
  notice(event: unknown): Promise<void>;
  /** Records in the ledger that a request was refused. Never rejects because of the journal. */
  noteRefusal(refused: Refused): Promise<void>;
  /** Reports a message that the host no longer retries. */
  giveUp(message: WorkMessage | undefined): Promise<void>;
  /** Makes a rotation due now. Returns undefined when the target does not exist. */
  request(targetId: string, wanted: RotationInput): Promise<Requested | undefined>;
  /** Logs in with the published secret now. Changes nothing on the target or in the vault. Returns undefined when the target does not exist. */
  verify(targetId: string): Promise<Verified | Busy | undefined>;
  /** Makes every check of a rotation that changes nothing. Returns undefined when the target does not exist. */
  dryRun(targetId: string): Promise<DryRunOutcome | undefined>;
  /** Records that somebody saw the secret. Returns undefined when the target does not exist. */
  expose(
    targetId: string,
    seen: ExposureInput,
    key?: RequestKey,
  ): Promise<ExposureOutcome | undefined>;
  /** Throws ConfigError unless a request that changes something has the reason and the ticket that the configuration requires. */
  requireJustification(given: Justification): Promise<void>;
  /** Counts a request of a caller. Undefined when nothing limits requests. */
  admit(caller: string, kind: RequestKind): Promise<Admission | undefined>;
  /** Records that the secret was used. Returns undefined when the target does not exist. */
  recordUse(targetId: string, used: UseInput, key?: RequestKey): Promise<UseResult | undefined>;
}

export interface OperationsDeps {
  readonly ports: Omit<Ports, "emit" | "freezes">;
  readonly queue: Queue;
  /** Queue for work that a person or a refused consumer waits for. Absent: `queue`. */
  readonly firstQueue?: Queue;
  readonly targets: readonly Target[];
  /** What requests that change something must have. Absent: nothing. */
  readonly justificationRules?: JustificationRules;
  /** Absent: nothing limits the requests of a caller. */
  readonly limiter?: RequestLimiter;
  /** Returns the name of the configured vault with this host name. */
  readonly vaultAt: (host: string) => string | undefined;
  /** Returns the alarm about the current configuration, if there is one. */
  readonly configAlarm?: () => KnownAlarm | undefined;
}

/** The most rows that one sweep removes from the journal. */
const maxPruned = 100;

/** Creates the operations of one process. Each caller passes the reader that receives the events of its calls. */
export function makeOperations(deps: OperationsDeps): (emit: EventReader) => Operations {
  const byId = new Map(deps.targets.map((target) => [target.id, target]));
  const { firstQueue = deps.queue } = deps;
  const stores = { journal: deps.ports.journal, queue: deps.queue, firstQueue };
  const freezes = makeFreezes(deps.ports.journal);
  const registerInTime = makeRegistrar({ ...stores, freezes }, deps.targets);
  const [reported, leftAlone] = [new Set<string>(), new Set<string>()];
  const refusals = makeRefusals();
  const keepLedger = makeLedgerKeeper(refusals);
  return (emit) => {
    const ports: Ports = { ...deps.ports, freezes, emit };
    return {
      ...makeQuestions(ports, byId),
      ...makeLedgerQuestions(ports.journal),
      ...makeInbox(ports, makeFindTarget(ports, byId), firstQueue),
      ...makeBreaching(ports, deps.targets, firstQueue),
      ...makePausing(ports, byId, stores),
      ...makeFreezing(ports, freezes, { ...stores, targets: deps.targets }),
      async sweep() {
        const registered = registerInTime().then((leftovers) =>
          noteLeftovers(ports, leftovers, { leftAlone, reported }),
        );
        // Due targets do not wait for rows that could not be written.
        await registered.catch(() => undefined);
        await wakeBreaches(ports, firstQueue, makeBreachReport(ports, reported));
        const sent = await sweep(stores, {
          isKnown: (id) => byId.has(id),
          isReadable: (id) => !leftAlone.has(id),
          admit: makeAdmission(deps.ports, byId),
        });
        await reportConfig(ports, deps.configAlarm?.(), reported);
        await keepLedger(ports);
        await prune(ports);
        await registered;
        return sent;
      },
      async work(message, from) {
        if (message?.breachId !== undefined) {
          const advance = () => advanceOne(ports, byId, firstQueue, message.breachId);
          await workOnBreach(firstQueue, message, advance, makeBreachReport(ports, reported));
          return;
        }
        const queues = { queue: from === "first" ? firstQueue : deps.queue, firstQueue };
        const unreadable = await workOnMessage(ports, queues, message, byId);
        if (message && !unreadable) leftAlone.delete(message.targetId);
        if (!message || !unreadable) return;
        leftAlone.add(message.targetId);
        await reportTarget(ports, { id: message.targetId, ...unreadable }, reported);
      },
      noteRefusal: (refused) => refusals.note(ports, refused),
      notice: (event) => notice(ports, deps, event),
      giveUp: (message) => giveUp(ports, message),
      admit: async (caller, kind) => deps.limiter?.admit(caller, kind),
      requireJustification: (given) =>
        Promise.resolve().then(() => {
          requireJustification(deps.justificationRules ?? {}, given);
        }),
    };
  };
}

/** Continues a breach with the targets that may begin now. */
function advanceOne(
  ports: Ports,
  byId: ReadonlyMap<string, Target>,
  firstQueue: Queue,
  breachId: string,
) {
  const find = makeFindTarget(ports, byId);
  const request = (target: Target, wanted: RotationInput) =>
    requestNow(ports, firstQueue, target, wanted);
  return advanceBreach({ ports, byId, find, request }, breachId);
}

/** What callers ask of one target. */
function makeInbox(
  ports: Ports,
  find: FindTarget,
  firstQueue: Queue,
): Pick<Operations, "request" | "expose" | "recordUse" | "verify" | "dryRun"> &
  Giving &
  Cancelling {
  return {
    ...makeGiving(ports, find, firstQueue),
    ...makeCancelling(ports, find),
    async request(targetId, wanted) {
      const target = await find(targetId);
      return target && (await requestNow(ports, firstQueue, target, wanted));
    },
    async expose(targetId, seen, key) {
      const target = await find(targetId);
      return target && (await expose(ports, target, seen, key));
    },
    async recordUse(targetId, used, key) {
      const target = await find(targetId);
      return target && (await recordUse(ports, target, used, key));
    },
    async verify(targetId) {
      const target = await find(targetId);
      if (!target) return undefined;
      const { answer, wakeAt } = await verifyPublished(ports, target);
      // The claim turned away work that came meanwhile. A version that is in doubt is checked at once.
      await sendIfDue(ports, firstQueue, { targetId, because: "verified" }, wakeAt);
      return answer;
    },
    async dryRun(targetId) {
      const target = await find(targetId);
      if (!target) return undefined;
      const { outcome, wakeAt } = await dryRun(ports, target);
      await sendIfDue(ports, firstQueue, { targetId, because: "dry run ended" }, wakeAt);
      return outcome;
    },
  };
}

async function requestNow(
  ports: Ports,
  firstQueue: Queue,
  target: Target,
  wanted: RotationInput,
): Promise<Requested> {
  const requested = await requestRotation(ports, target, wanted);
  const message = { targetId: target.id, because: "requested" };
  await sendNow(ports, firstQueue, message, requested.wakeAt);
  return requested;
}

/** Removes some of the rows that are older than the retention. A failure is only logged: the next sweep tries again. */
async function prune(ports: Ports): Promise<void> {
  try {
    await ports.journal.prune(maxPruned);
  } catch (error) {
    const detail =
      error instanceof JournalUnavailableError ? error.message : "Old rows could not be removed.";
    const at = toInstant(ports.journal.now());
    ports.emit(toEvent({ type: "journal-unavailable", at, detail }));
  }
}

async function notice(ports: Ports, deps: OperationsDeps, event: unknown): Promise<void> {
  const seen = parseVaultEvent(event);
  if (seen === "not about a secret") return;
  if (!seen) {
    const text =
      "Keyturn cannot read an event from Event Grid. Check that the subscription sends only events of Key Vault secrets.";
    await raiseAlarm(ports, "message-unreadable", text);
    return;
  }
  const vault = deps.vaultAt(seen.host);
  const name = seen.name.toLowerCase();
  for (const target of deps.targets) {
    if (target.publish.vault !== vault || target.publish.name.toLowerCase() !== name) continue;
    if (await isNews(ports, target, seen)) {
      // The target may refuse consumers since somebody wrote the secret.
      await (deps.firstQueue ?? deps.queue).send({ targetId: target.id, because: vaultHint });
    }
  }
}

/** A version that the journal already knows is no reason to check the target. A due target, or an unknown version, is. */
async function isNews(ports: Ports, target: Target, seen: VaultEvent): Promise<boolean> {
  const record = await readUnlessUnreadable(ports, target);
  if (!record) return true;
  if (decideWork(record, toInstant(ports.journal.now())) !== "wait") return true;
  const known = [record.published, record.rotation?.published];
  return known.every((one) => one?.version !== seen.version);
}

/** An unreadable row, written by a newer Keyturn, must not swallow the event: an instance that can read it may get the message. */
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
  const { targetId, breachId } = message ?? {};
  const about = breachId === undefined ? targetId : `breach ${breachId}`;
  const what = message ? `for ${about ?? ""} (${message.because})` : "that is unreadable";
  const text = `The Functions host stopped delivering a queue message ${what}. The next sweep sends another message if work is due.`;
  await raiseAlarm(ports, "gave-up", text, targetId === undefined ? {} : { targetId });
}

/** Decides how much later than now each message of one sweep arrives. */
function makeAdmission(
  { pace, sweepEvery = usualSweep }: Omit<Ports, "emit">,
  byId: ReadonlyMap<string, Target>,
): (targetId: string) => number | undefined {
  const arrivals = pace && spreadArrivals((vault) => pace.perWindow(vault), sweepEvery);
  return (targetId) => {
    const target = byId.get(targetId);
    return target && arrivals ? arrivals.admit(target) : 0;
  };
}

async function reportConfig(
  ports: Ports,
  alarm: KnownAlarm | undefined,
  reported: Set<string>,
): Promise<void> {
  if (!alarm || reported.has(alarm.id)) return;
  await raiseAlarm(ports, alarm.kind, alarm.message, alarm);
  reported.add(alarm.id);
}
