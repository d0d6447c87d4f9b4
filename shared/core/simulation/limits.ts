import { formatDuration, parseDuration, second } from "../time.ts";
import type { Limit, Limits } from "./model.ts";

/**
 * The documented limit of Key Vault, and a limit that every database server can handle: a rotation is a few log-ins and one
 * change. Only its operator knows the limit of a certain server.
 */
export const defaultLimits: Limits = {
  perServer: { count: 10, within: 10 * second },
  perVault: { count: 300, within: 10 * second },
};

/** Parses a limit such as `10/10s`. Undefined for any other text. */
export function parseLimit(text: string): Limit | undefined {
  const [, digits, length] = /^(\d{1,6})\/(.+)$/.exec(text) ?? [];
  const count = Number(digits);
  const within = parseDuration(length ?? "");
  return count > 0 && within !== undefined && within > 0 ? { count, within } : undefined;
}

/** Formats limits such as `10 rotations in 10s on a server, 300 new versions in 10s in a vault`. */
export function formatLimits({ perServer, perVault }: Limits): string {
  const rotations = `${perServer.count} rotations in ${formatDuration(perServer.within)}`;
  const versions = `${perVault.count} new versions in ${formatDuration(perVault.within)}`;
  return `${rotations} on a server, ${versions} in a vault`;
}
