import { z } from "zod";
import { ChangeRefusedError, OutcomeUnknownError, TargetUnavailableError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import type { Capabilities, Rotator, Using } from "./rotator.ts";

/** A system of accounts that lives and dies with the process. */
export interface MemorySystem {
  readonly passwords: Map<string, Secret>;
  /** Accounts that may change others. */
  readonly admins: Set<string>;
  /** Accounts that somebody is logged in as. */
  readonly sessions: Set<string>;
  /** Log-ins so far, refused ones included. */
  logIns: number;
}

export function memorySystem(): MemorySystem {
  return { passwords: new Map(), admins: new Set(), sessions: new Set(), logIns: 0 };
}

const anything: Capabilities = {
  selfService: true,
  admin: true,
  identity: true,
  propagation: 0,
};

/** The reference rotator: does what the contract says and nothing else. */
export function memoryRotator(
  system: MemorySystem,
  capabilities: Capabilities = anything,
): Rotator<Record<string, never>> {
  const accepts = (account: string, secret: Secret) =>
    system.passwords.get(account)?.equals(secret) ?? false;

  function mustMay(using: Using, account: string): void {
    if (using.as === "identity") return;
    const { credential } = using;
    system.logIns++;
    if (!accepts(credential.account, credential.secret)) {
      throw new ChangeRefusedError(`memory refuses the log-in of ${credential.account}`);
    }
    if (
      using.as === "admin" ? !system.admins.has(credential.account) : credential.account !== account
    ) {
      throw new ChangeRefusedError(`${credential.account} may not change ${account}`);
    }
  }

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
    async verify({ credential }, signal) {
      await Promise.resolve();
      if (signal.aborted) throw new TargetUnavailableError("memory was not asked in time");
      system.logIns++;
      return accepts(credential.account, credential.secret) ? "accepted" : "rejected";
    },
    async hasSessions({ account, using }, signal) {
      await Promise.resolve();
      if (signal.aborted) throw new TargetUnavailableError("memory was not asked in time");
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
