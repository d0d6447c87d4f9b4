import type { Queue } from "../../stores/queue.ts";
import type { FindTarget } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { sendIfDue, sendNow } from "../scheduling/messages.ts";
import { type UnblockInput, type UnblockResult, unblockTarget } from "../work/unblock.ts";
import type { GivenInput, GivenResult } from "./given.ts";
import { type ImportInput, importSecret } from "./import.ts";
import { requestUndo } from "./undo.ts";

/** Secrets that Keyturn does not generate. Each returns undefined when the target does not exist. */
export interface Giving {
  /** Puts a secret in force that somebody else issued. Throws ConfigError and VaultUnavailableError. */
  importSecret(targetId: string, input: ImportInput): Promise<GivenResult | undefined>;
  /** Publishes the previous secret again. */
  undo(targetId: string, input: GivenInput): Promise<GivenResult | undefined>;
  /** Lets a blocked target continue, after a log-in if the caller names a version. */
  unblock(targetId: string, input: UnblockInput): Promise<UnblockResult | undefined>;
}

export function makeGiving(ports: Ports, find: FindTarget, firstQueue: Queue): Giving {
  async function queued(targetId: string, result: GivenResult): Promise<GivenResult> {
    if ("rotationId" in result) {
      const message = { targetId, because: "requested" };
      await sendNow(ports, firstQueue, message, result.wakeAt);
    }
    return result;
  }
  return {
    async importSecret(targetId, input) {
      const target = await find(targetId);
      return target && queued(targetId, await importSecret(ports, target, input));
    },
    async undo(targetId, input) {
      const target = await find(targetId);
      return target && queued(targetId, await requestUndo(ports, target, input));
    },
    async unblock(targetId, input) {
      const target = await find(targetId);
      if (!target) return undefined;
      const { result, wakeAt } = await unblockTarget(ports, target, input);
      await sendIfDue(ports, firstQueue, { targetId, because: "unblocked" }, wakeAt);
      return result;
    },
  };
}
