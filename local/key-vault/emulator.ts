import { type LoopbackAnswer, type LoopbackRequest, serveOnLoopback } from "../loopback.ts";
import { createAnnouncer, type KeyVaultEvent } from "./announcements.ts";
import { createBundles } from "./bundles.ts";
import { type ChangeLog, memoryLog, openChangeLog } from "./change-log.ts";
import { createFaults, type Faults } from "./faults.ts";
import { answerRequest, type Gate } from "./gate.ts";
import { LIMITS } from "./limits.ts";
import { applyChange, type Change, emptyState, type VaultState } from "./state.ts";
import { createThrottle } from "./throttle.ts";

export interface KeyVaultEmulatorOptions {
  /** Says whether a bearer token opens this vault. */
  acceptsToken(token: string): boolean;
  /** Name of the vault in its events. */
  readonly name?: string | undefined;
  /** 0, the default, takes a free one. */
  readonly port?: number | undefined;
  /** Where accepted writes are kept, in the clear, by one emulator at a time. Without it the vault
   *  is forgotten on close. */
  readonly file?: string | undefined;
  readonly now?: (() => Date) | undefined;
  readonly region?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Days, 7-90. */
  readonly retentionDays?: number | undefined;
  readonly purgeProtection?: boolean | undefined;
  /** How long deleting and recovering take, in milliseconds; 0 unless told. */
  readonly settleMs?: number | undefined;
  /** Multiplies the real limits; Infinity lets everything pass. */
  readonly throttleScale?: number | undefined;
  /** Called for each event; called again with it at the next tick if it throws. */
  readonly onEvent?: ((event: KeyVaultEvent) => void | Promise<void>) | undefined;
  /** How often expiry is looked at, in milliseconds; 0 leaves it to `tick`. 1,000 unless told. */
  readonly tickEveryMs?: number | undefined;
}

export interface JournalEntry {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** 0 when the connection was reset instead of a reply. */
  readonly status: number;
}

export interface KeyVaultEmulator {
  readonly url: string;
  readonly name: string;
  readonly faults: Faults;
  /** The last requests, oldest first, refused ones included. Never a value. */
  readonly journal: readonly JournalEntry[];
  /** Tells every event that is due by then; returns when its receiver has taken them. */
  tick(now?: Date): Promise<void>;
  close(): Promise<void>;
}

const JOURNAL_LENGTH = 10_000;

/** Key Vault emulator for secrets (works with the official SDK). What it does differently from Azure is in
 *  `docs/key-vault-emulator.md`. */
export async function startKeyVaultEmulator(
  options: KeyVaultEmulatorOptions,
): Promise<KeyVaultEmulator> {
  const name = options.name ?? "keyturn-local";
  const now = (): number => (options.now?.() ?? new Date()).getTime();
  const state = emptyState();
  const log = await restore(state, options.file);
  const commit = createCommit(state, log);
  const faults = createFaults();
  const journal: JournalEntry[] = [];
  const announce = createAnnouncer({
    state,
    vaultName: name,
    onEvent: options.onEvent ?? (() => undefined),
    commit,
  });

  const server = await serveOnLoopback({
    port: options.port,
    bodyLimit: LIMITS.restoreBytes,
    handler(url) {
      const gate = createGate(options, { url, state, commit, faults, now });
      return async (request, closing) => {
        const answer = await answerRequest(gate, request, closing);
        record(journal, request, answer);
        if (state.unannounced.size > 0) void announce(url, now());
        return answer;
      };
    },
  }).catch(async (error: unknown) => {
    await log.close();
    throw error;
  });

  const tick = (at?: Date): Promise<void> => announce(server.url, at?.getTime() ?? now());
  const stopTicking = startTicking(options.tickEveryMs ?? 1000, tick);
  return {
    url: server.url,
    name,
    faults,
    journal,
    tick,
    async close() {
      stopTicking();
      await server.close();
      await tick();
      // Writes whose connection was just cut still come to their end.
      await commit(() => []);
      await log.close();
    },
  };
}

function createGate(
  options: KeyVaultEmulatorOptions,
  own: Pick<Gate, "faults" | "now"> & Pick<Gate["vault"], "url" | "state" | "commit">,
): Gate {
  const policy = {
    retentionDays: options.retentionDays ?? 90,
    purgeProtection: options.purgeProtection ?? false,
    settleMs: options.settleMs ?? 0,
  };
  const { url, state, commit, faults, now } = own;
  return {
    vault: { url, state, commit, policy, bundles: createBundles(url, policy) },
    throttle: createThrottle(options.throttleScale ?? 1),
    faults,
    region: options.region ?? "westeurope",
    tenantId: options.tenantId ?? "00000000-0000-0000-0000-000000000001",
    acceptsToken: (token) => options.acceptsToken(token),
    now,
  };
}

async function restore(state: VaultState, file: string | undefined): Promise<ChangeLog> {
  if (file === undefined) return memoryLog;
  const { log, changes } = await openChangeLog(file);
  for (const change of changes) applyChange(state, change);
  return log;
}

/** One decision at a time: each sees what the one before it did, and nobody sees a change that a
 *  crash could still undo. */
function createCommit(
  state: VaultState,
  log: ChangeLog,
): (decide: () => readonly Change[]) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return (decide) => {
    const turn = last.then(async () => {
      const changes = decide();
      if (changes.length > 0) await log.append(changes);
      for (const change of changes) applyChange(state, change);
    });
    last = turn.catch(() => undefined);
    return turn;
  };
}

function record(journal: JournalEntry[], request: LoopbackRequest, answer: LoopbackAnswer): void {
  journal.push({
    method: request.method,
    path: request.path,
    status: answer === "hang-up" ? 0 : answer.status,
  });
  if (journal.length > JOURNAL_LENGTH) journal.shift();
}

function startTicking(everyMs: number, tick: () => Promise<void>): () => void {
  if (everyMs === 0) return () => undefined;
  const timer = setInterval(() => void tick(), everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
