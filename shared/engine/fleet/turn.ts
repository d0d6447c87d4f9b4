import type { Work } from "../../core/lifecycle/decide.ts";
import { goesFirst } from "../../core/record/first.ts";
import type { TargetRecord } from "../../core/record/record.ts";
import { nameServer, type Target } from "../../core/target.ts";
import type { Ports } from "../ports.ts";
import type { TargetSession } from "../session.ts";
import { takeRoomForBoth, VaultBusyError } from "./room.ts";
import type { Entered, SkippedTurn } from "./servers.ts";

/** Work that does not contact the server. */
const withoutServer: readonly Work[] = ["join", "notify", "wait"];

/** Returns the name of a target's server, unique within an instance. */
export function toServerName(
  { rotator }: Pick<Ports, "rotator">,
  { type, options }: Target,
): string {
  return nameServer(rotator(type).endpoint(options));
}

/**
 * Takes a slot at the target's server, if one is free. Work that a person requested, or that follows a reported exposure, is urgent: it
 * does not wait because the server was silent a moment ago.
 */
export async function takeTurn(
  session: TargetSession,
  record: TargetRecord,
  work: Work,
): Promise<Entered | SkippedTurn> {
  const { ports, target } = session;
  const { servers } = ports;
  if (!servers || withoutServer.includes(work)) return { leave: () => undefined };
  const server = toServerName(ports, target);
  const isUrgent = goesFirst(record);
  if (work === "start") {
    const silent = servers.silence(server, isUrgent);
    if (silent) return silent;
    await waitForRoom(session);
  }
  return servers.enter(server, isUrgent);
}

/** Waits for room in the vaults before the turn, so that a waiting worker occupies no slot at the server. `start` handles missing room. */
async function waitForRoom(session: TargetSession): Promise<void> {
  try {
    await takeRoomForBoth(session);
  } catch (error) {
    if (!(error instanceof VaultBusyError)) throw error;
  }
}
