import type { Work } from "../../core/lifecycle/decide.ts";
import { goesFirst } from "../../core/record/first.ts";
import type { TargetRecord } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import type { Ports } from "../ports.ts";
import type { Session } from "../session.ts";
import { takeRoomForBoth, VaultBusyError } from "./room.ts";
import type { Entered, PassedOver } from "./servers.ts";

/** Work for which nobody asks the server. */
const withoutServer: readonly Work[] = ["join", "notify", "wait"];

/** The server of a target, among all those of an instance. */
export function toServerName(
  { rotator }: Pick<Ports, "rotator">,
  { type, options }: Target,
): string {
  const { host, port } = rotator(type).endpoint(options);
  return `${host}:${port}`;
}

/**
 * Whether it is the target's turn at its server. Whatever a person has asked for, or somebody has seen in a log, goes first: it does not
 * wait because the server was silent a moment ago.
 */
export async function takeTurn(
  session: Session,
  record: TargetRecord,
  work: Work,
): Promise<Entered | PassedOver> {
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

/** Before the turn, so that whoever waits for a vault keeps no place at the server. The start itself says what is to be done without room. */
async function waitForRoom(session: Session): Promise<void> {
  try {
    await takeRoomForBoth(session);
  } catch (error) {
    if (!(error instanceof VaultBusyError)) throw error;
  }
}
