import { type LoopbackAnswer, type LoopbackRequest, serveOnLoopback } from "../loopback.ts";
import { createAnnouncer, type KeyVaultEvent } from "./announcements.ts";
import { createBundles } from "./bundles.ts";
import { type ChangeLog, memoryLog, openChangeLog } from "./change-log.ts";
import { LIMITS } from "./emulator-limits.ts";
import { createFaults, type Faults } from "./faults.ts";
import { answerRequest, type Gate } from "./gate.ts";
import { applyChange, type Change, emptyState, type VaultState } from "./state.ts";
import { createThrottle } from "./throttle.ts";

export interface KeyVaultEmulatorOptions {
  /** Whether a bearer token gives access to this vault. */
  acceptsToken(token: string): boolean;
  /** Name of the vault in its events. */
  readonly name?: string | undefined;
  /** Default: 0, a free port. */
  readonly port?: number | undefined;
  /** The file that keeps accepted writes as plain text, for one emulator at a time. Without it, the vault is lost on close. */
  readonly file?: string | undefined;
  readonly now?: (() => Date) | undefined;
  readonly region?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Days, 7 to 90. */
  readonly retentionDays?: number | undefined;
  readonly purgeProtection?: boolean | undefined;
  /** Milliseconds that a deletion or a recovery takes. Default: 0. */
  readonly settleMs?: number | undefined;
  /** Multiplies the real limits. Infinity disables them. */
  readonly throttleScale?: number | undefined;
  /** Called for each event, and called again at the next tick after it has thrown. */
  readonly onEvent?: ((event: KeyVaultEvent) => void | Promise<void>) | undefined;
  /** Milliseconds between two checks of expiry. Default: 1,000. With 0, only `tick` checks it. */
  readonly tickEveryMs?: number | undefined;
}

export interface JournalEntry {
  readonly method: string;
  /** The path without the query. */
  readonly path: string;
  /** 0 when the connection was cut without a reply. */
  readonly status: number;
}

export interface KeyVaultEmulator {
  readonly url: string;
  readonly name: string;
  readonly faults: Faults;
  /** The last requests with the refused ones, oldest first. Contains no secret values. */
  readonly journal: readonly JournalEntry[];
  /** Publishes every event that is due by then. Resolves when the receiver has accepted them. */
  tick(now?: Date): Promise<void>;
  close(): Promise<void>;
}

const JOURNAL_LENGTH = 10_000;

/**
 * Starts a Key Vault emulator for secrets (works with the official SDK). `docs/reference/emulators/key-vault.md` lists its differences
 * from Azure.
 */
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
      // Waits for writes whose connections were just cut.
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

/** Makes one decision at a time. Each sees the result of the previous one, and no reader sees a change before it is durable. */
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
