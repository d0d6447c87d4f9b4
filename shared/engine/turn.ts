import type { Work } from "../core/decide.ts";
import { goesFirst } from "../core/first.ts";
import type { TargetRecord } from "../core/rotation.ts";
import type { Target } from "../core/target.ts";
import type { Ports } from "./ports.ts";
import type { Entered, PassedOver } from "./servers.ts";

/** Work for which nobody asks the server. */
const withoutServer: readonly Work[] = ["join", "notify", "wait"];

/** The server of a target, among all those of an instance. */
export function serverOf({ rotator }: Pick<Ports, "rotator">, { type, options }: Target): string {
  const { host, port } = rotator(type).endpoint(options);
  return `${host}:${port}`;
}

/**
 * Whether it is the target's turn at its server. Whatever a person has asked for, or somebody has seen in a log, goes first: it does not
 * wait because the server was silent a moment ago.
 */
export async function takeTurn(
  ports: Ports,
  target: Target,
  record: TargetRecord,
  work: Work,
): Promise<Entered | PassedOver> {
  if (!ports.servers || withoutServer.includes(work)) return { leave: () => undefined };
  return ports.servers.enter(serverOf(ports, target), goesFirst(record));
}
