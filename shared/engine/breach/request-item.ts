import type { Breach, BreachItem } from "../../core/breach/breach.ts";
import { leave, withWaitsFor } from "../../core/breach/judge.ts";
import { ConfigError, LeaseLostError } from "../../core/errors.ts";
import { endsSuperseded, type Target } from "../../core/target.ts";
import { between, toInstant } from "../../core/time.ts";
import { UnreadableRowError } from "../../stores/journal.ts";
import type { FindTarget } from "../fleet/frozen-targets.ts";
import { findAnswer } from "../inbox/request-key.ts";
import type { Requested, RotationInput } from "../inbox/request-rotation.ts";
import type { Ports } from "../ports.ts";
import { isRemoved, UnknownTargetError } from "./unknown-target.ts";

export interface RequestingItems {
  readonly ports: Ports;
  readonly find: FindTarget;
  /** Requests the rotation, and sends a message to a worker. */
  readonly request: (target: Target, wanted: RotationInput) => Promise<Requested>;
}

/**
 * Requests the rotation of a target. It may be called again after a crash: the key of the request leads to the same rotation. The
 * request reports a breach of the secret in the same write, so that freezes which a breach lifts do not delay it.
 */
export async function requestItem(
  { ports, find, request }: RequestingItems,
  breach: Breach,
  item: BreachItem,
): Promise<BreachItem> {
  const key = { id: `breach ${breach.id}`, request: "rotation" };
  try {
    const target = await find(item.targetId);
    if (!target) throw new UnknownTargetError();
    const { rotationId } = await request(target, { ...toInput(breach, target), key });
    return withWaitsFor({ ...item, rotationId }, undefined);
  } catch (error) {
    const why = whyNot(error);
    // The configuration may have been edited since an earlier call, whose request counts.
    const known = await findAnswer<Requested>(ports.journal, item.targetId, key);
    if (known) return withWaitsFor({ ...item, rotationId: known.rotationId }, undefined);
    const now = toInstant(ports.journal.now());
    const isOver = between(item.begunAt ?? now, now) >= breach.giveUpAfter;
    const mayPass =
      error instanceof UnknownTargetError ? !isRemoved(breach, now) : isTemporary(error);
    return mayPass && !isOver ? withWaitsFor(item, why) : leave(item, why, now);
  }
}

function toInput(
  { id, reason, ticket, confirmed, force = false, liftFreezes = false }: Breach,
  target: Target,
): RotationInput {
  const justification = { reason, ...(ticket !== undefined && { ticket }) };
  return {
    reason: "exposure",
    requestedBy: confirmed?.by ?? "",
    justification,
    seen: { by: `breach ${id}`, kind: "breach", justification },
    ...(endsSuperseded(target) && { grace: 0 }),
    ...(liftFreezes && { liftFreeze: reason }),
    ...(force && { force: reason }),
  };
}

function isTemporary(error: unknown): boolean {
  return error instanceof LeaseLostError || error instanceof UnreadableRowError;
}

/** Why no rotation could be requested. Throws an error about which nobody can act on the target. */
function whyNot(error: unknown): string {
  if (error instanceof LeaseLostError) return "Others keep writing to the target";
  if (error instanceof ConfigError || error instanceof UnreadableRowError) return error.message;
  throw error;
}
