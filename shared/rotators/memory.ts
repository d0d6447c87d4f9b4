import { z } from "zod";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import type { Capabilities, Examination, Examine, Rotator, Using } from "./rotator.ts";

/** A system of accounts that lives and dies with the process. */
export interface MemorySystem {
  readonly passwords: Map<string, Secret>;
  /** Accounts that may change others. */
  readonly admins: Set<string>;
  /** Accounts that somebody is logged in as. */
  readonly sessions: Set<string>;
  /** Accounts whose log-ins are refused whatever the password is, and the sentence that says why. */
  readonly obstacles: Map<string, string>;
  /** Accounts that are let in without a password. */
  readonly trusted: Set<string>;
  /** Log-ins so far, refused ones included. */
  logIns: number;
}

export function memorySystem(): MemorySystem {
  return {
    passwords: new Map(),
    admins: new Set(),
    sessions: new Set(),
    obstacles: new Map(),
    trusted: new Set(),
    logIns: 0,
  };
}

const anything: Capabilities = {
  selfService: true,
  admin: true,
  identity: true,
  propagation: 0,
};

/** Who may log in, and who may change whom. */
function rulesOf(system: MemorySystem) {
  const accepts = (account: string, secret: Secret) =>
    !system.obstacles.has(account) && (system.passwords.get(account)?.equals(secret) ?? false);

  function requireAsked(account: string): void {
    if (!system.trusted.has(account)) return;
    throw new ConfigError(
      `memory lets ${account} in without a password, so a log-in proves nothing`,
    );
  }

  /** One log-in of the authority, if it has one. */
  function isLetIn(using: Using): boolean {
    if (using.as === "identity") return true;
    const { account, secret } = using.credential;
    system.logIns++;
    requireAsked(account);
    return accepts(account, secret);
  }

  function mayChange(using: Using, account: string): boolean {
    if (using.as === "identity") return true;
    const { credential } = using;
    return using.as === "admin"
      ? system.admins.has(credential.account)
      : credential.account === account;
  }

  function mustMay(using: Using, account: string): void {
    if (!isLetIn(using)) {
      throw new AuthorityRefusedError(`memory refuses the log-in of ${nameOf(using)}`);
    }
    if (mayChange(using, account)) return;
    throw new ChangeRefusedError(`${nameOf(using)} may not change ${account}`);
  }

  function examineNow({ account, using, isProven }: Examine<unknown>): Examination | "rejected" {
    if (!isLetIn(using)) return "rejected";
    if (!isProven && using.as !== "self") requireAsked(account);
    return {
      obstacles: isProven ? [] : obstaclesFor(account),
      right: mayChange(using, account)
        ? { is: "proven" }
        : { is: "missing", why: `${nameOf(using)} may not change ${account}` },
    };
  }

  function obstaclesFor(account: string): string[] {
    if (!system.passwords.has(account)) return [`memory has no account ${account}`];
    const obstacle = system.obstacles.get(account);
    return obstacle === undefined ? [] : [obstacle];
  }

  return { accepts, requireAsked, mustMay, examineNow };
}

function nameOf(using: Using): string {
  return using.as === "identity" ? "the identity" : using.credential.account;
}

async function untilAsked(signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  if (signal.aborted) throw new TargetUnavailableError("memory was not asked in time");
}

/** The reference rotator: does what the contract says and nothing else. */
export function memoryRotator(
  system: MemorySystem,
  capabilities: Capabilities = anything,
): Rotator<Record<string, never>> {
  const { accepts, requireAsked, mustMay, examineNow } = rulesOf(system);
  return {
    type: "memory",
    options: z.strictObject({}),
    capabilities,
    endpoint: () => ({ engine: "memory", host: "memory", port: 0 }),
    async apply({ next, using }, signal) {
      await Promise.resolve();
      if (signal.aborted) throw new OutcomeUnknownError("memory was not asked in time");
      mustMay(using, next.account);
      if (!system.passwords.has(next.account)) {
        throw new ChangeRefusedError(`memory has no account ${next.account}`);
      }
      system.passwords.set(next.account, new Secret(next.secret.reveal()));
      return next;
    },
    async examine(examine, signal) {
      await untilAsked(signal);
      return examineNow(examine);
    },
    async verify({ credential: { account, secret } }, signal) {
      await untilAsked(signal);
      system.logIns++;
      requireAsked(account);
      return accepts(account, secret) ? "accepted" : "rejected";
    },
    async hasSessions({ account, using }, signal) {
      await untilAsked(signal);
      mustMay(using, account);
      return system.sessions.has(account);
    },
    async retire({ account, using }, signal) {
      await Promise.resolve();
      if (signal.aborted) throw new OutcomeUnknownError("memory was not asked in time");
      mustMay(using, account);
      // An empty password is what no log-in ever presents here.
      system.passwords.set(account, new Secret(""));
    },
  };
}
