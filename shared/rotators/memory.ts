import { z } from "zod";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../core/errors.ts";
import { type Credential, Secret } from "../core/secrets/secret.ts";
import { findUnfitName } from "./common/connection/account-name.ts";
import { guarded } from "./guarded.ts";
import type { Capabilities, Examination, Examine, Look, SettingRotator, Using } from "./rotator.ts";

/** A system of accounts in memory. It exists as long as the process. */
export interface MemorySystem {
  readonly passwords: Map<string, Secret>;
  /** The second valid password of accounts that have one. */
  readonly seconds: Map<string, Secret>;
  /** Further secrets of accounts, which the system has created. */
  readonly minted: Map<string, readonly MintedSecret[]>;
  /** When the system created the secret of an account, in the milliseconds of `now`. */
  readonly created: Map<string, number>;
  /** The number of secrets that the system has created. */
  mints: number;
  /** Carries a request that creates or replaces a secret to the system. A test may let it take effect later, and throw instead of an answer. */
  carry: (request: () => void) => void;
  /** Accounts that may change other accounts. */
  readonly admins: Set<string>;
  /** Accounts that may not change their own password. */
  readonly fixed: Set<string>;
  /** Accounts with an open session. */
  readonly sessions: Set<string>;
  /** Accounts whose log-ins are refused whatever the password, each with a sentence that says why. */
  readonly obstacles: Map<string, string>;
  /** What an examination also says. */
  shown: Pick<Examination, "rules" | "warnings" | "gap">;
  /** Accounts that log in without a password. */
  readonly trusted: Set<string>;
  /** The number of log-ins so far, including refused ones. */
  logIns: number;
  /** Milliseconds since any fixed moment. */
  readonly now: () => number;
}

/** One of the secrets of an account, with the name that its request gave it. */
export interface MintedSecret {
  readonly id: string;
  readonly name: string;
  readonly secret: Secret;
  /** When the system ends it, in the milliseconds of `now`. Absent: never. */
  readonly endsAt?: number;
}

/** Milliseconds for which a session with `mayStay` stays open. */
const maxIdleMs = 5_000;

export function makeMemorySystem(now: () => number = () => performance.now()): MemorySystem {
  return {
    passwords: new Map(),
    seconds: new Map(),
    minted: new Map(),
    created: new Map(),
    mints: 0,
    carry: (request) => {
      request();
    },
    admins: new Set(),
    fixed: new Set(),
    sessions: new Set(),
    obstacles: new Map(),
    shown: {},
    trusted: new Set(),
    logIns: 0,
    now,
  };
}

const anything: Capabilities = {
  selfService: true,
  admin: true,
  identity: true,
  propagation: 0,
};

/** Whether the account has this password, as its first, its second or a further one. */
export function hasPassword(system: MemorySystem, account: string, secret: Secret): boolean {
  const first = system.passwords.get(account);
  if (!first) return false;
  const others = [system.seconds.get(account), ...listMinted(system, account)];
  return [first, ...others].some((one) => one?.equals(secret) === true);
}

const listMinted = ({ minted, now }: MemorySystem, account: string): readonly Secret[] =>
  (minted.get(account) ?? [])
    .filter(({ endsAt = Infinity }) => now() < endsAt)
    .map(({ secret }) => secret);

/** Decides who may log in, and who may change which account. */
function makeRules(system: MemorySystem) {
  const accepts = (account: string, secret: Secret) =>
    !system.obstacles.has(account) && hasPassword(system, account, secret);

  function requireAsked(account: string): void {
    if (!system.trusted.has(account)) return;
    throw new ConfigError(
      `memory accepts ${account} without a password, so a log-in proves nothing`,
    );
  }

  /** Sessions that stay open, and until when. */
  const stays = new Map<string, number>();
  const markOf = ({ account, secret }: Credential) => JSON.stringify([account, secret.reveal()]);

  function stay(credential: Credential): void {
    stays.set(markOf(credential), system.now() + maxIdleMs);
  }

  /** Logs the authority in, unless it has no log-in or a session of it is still open. */
  function isLetIn({ using, mayStay = false, isLast = false }: Look<unknown>): boolean {
    if (using.as === "identity") return true;
    const { credential } = using;
    const { account, secret } = credential;
    const hasStayed = mayStay && (stays.get(markOf(credential)) ?? -Infinity) > system.now();
    // A session whose secret is no longer valid does not stay open.
    if (!hasStayed || !accepts(account, secret)) {
      system.logIns++;
      requireAsked(account);
      if (!accepts(account, secret)) return false;
    }
    if (mayStay && isLast) stays.delete(markOf(credential));
    else if (mayStay) stay(credential);
    return true;
  }

  function requireRight(look: Look<unknown>): void {
    const { account, using } = look;
    if (!isLetIn(look)) {
      throw new AuthorityRefusedError(`memory refuses the log-in of ${describeAuthority(using)}`);
    }
    if (mayChange(system, using, account)) return;
    throw new ChangeRefusedError(`${describeAuthority(using)} may not change ${account}`);
  }

  function examineNow(examine: Examine<unknown>): Examination | "rejected" {
    const { account, using, isProven } = examine;
    if (!isLetIn(examine)) return "rejected";
    if (!isProven && using.as !== "self") requireAsked(account);
    return {
      obstacles: isProven ? [] : obstaclesFor(account),
      right: mayChange(system, using, account)
        ? { is: "proven" }
        : { is: "missing", why: `${describeAuthority(using)} may not change ${account}` },
      ...system.shown,
    };
  }

  function obstaclesFor(account: string): string[] {
    if (!system.passwords.has(account)) return [`memory has no account ${account}`];
    const obstacle = system.obstacles.get(account);
    return obstacle === undefined ? [] : [obstacle];
  }

  return { accepts, requireAsked, requireRight, examineNow, stay };
}

function mayChange({ admins, fixed }: MemorySystem, using: Using, account: string): boolean {
  if (using.as === "identity") return true;
  const { credential } = using;
  return using.as === "admin"
    ? admins.has(credential.account)
    : credential.account === account && !fixed.has(account);
}

function describeAuthority(using: Using): string {
  return using.as === "identity" ? "the identity" : using.credential.account;
}

async function untilAsked(signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  if (signal.aborted) throw new TargetUnavailableError("the call to memory timed out");
}

/** The reference rotator: it does exactly what the contract says. */
export function makeMemoryRotator(
  system: MemorySystem,
  capabilities: Capabilities = anything,
): SettingRotator<Record<string, never>> {
  const { accepts, requireAsked, requireRight, examineNow, stay } = makeRules(system);
  return guarded<Record<string, never>>({
    type: "memory",
    options: z.strictObject({}),
    capabilities,
    endpoint: () => ({ engine: "memory", host: "memory", port: 0 }),
    async apply({ next, ...call }, signal) {
      await Promise.resolve();
      if (signal.aborted) throw new OutcomeUnknownError("the call to memory timed out");
      requireRight({ ...call, account: next.account });
      if (!system.passwords.has(next.account)) {
        throw new ChangeRefusedError(`memory has no account ${next.account}`);
      }
      system.passwords.set(next.account, new Secret(next.secret.reveal()));
      return { credential: next };
    },
    async examine(examine, signal) {
      await untilAsked(signal);
      return examineNow(examine);
    },
    async verify({ credential, mayStay }, signal) {
      const { account, secret } = credential;
      await untilAsked(signal);
      system.logIns++;
      requireAsked(account);
      if (!accepts(account, secret)) return "rejected";
      if (mayStay) stay(credential);
      return "accepted";
    },
    async hasSessions(look, signal) {
      const { account } = look;
      await untilAsked(signal);
      requireRight(look);
      return system.sessions.has(account);
    },
    async retire(call, signal) {
      const { account } = call;
      await Promise.resolve();
      if (signal.aborted) throw new OutcomeUnknownError("the call to memory timed out");
      requireRight(call);
      // No log-in ever presents an empty password here.
      system.passwords.set(account, new Secret(""));
      system.seconds.delete(account);
    },
    findUnfitAccount: findUnfitName,
  });
}

/**
 * The reference rotator of a system whose accounts may have two passwords. As in MySQL, there is one place for a second password, and
 * what is put there pushes out what was there before.
 */
export function makeOverlappingRotator(
  system: MemorySystem,
  capabilities: Capabilities = anything,
): SettingRotator<Record<string, never>> {
  const { passwords, seconds } = system;
  const single = makeMemoryRotator(system, capabilities);
  return {
    ...single,
    overlaps: () => true,
    async apply(change, signal) {
      const { account } = change.next;
      const before = passwords.get(account);
      const applied = await single.apply(change, signal);
      if (before && change.keep?.secret.equals(before) === true) seconds.set(account, before);
      return applied;
    },
    async discard({ keep, ...call }, signal) {
      const { account, secret } = keep;
      if (!hasPassword(system, account, secret)) {
        throw new ChangeRefusedError(`memory does not have the password of ${account} to keep`);
      }
      await single.apply({ ...call, next: keep }, signal);
      seconds.delete(account);
    },
  };
}
