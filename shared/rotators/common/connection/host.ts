import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { hostName } from "../../../core/secrets/addresses.ts";

const name = new RegExp(`^${hostName}\\.?$`);

/** Whether the text is a host name or an IPv4 address. Digits and dots alone are an address, and never a name. */
export function isHostName(text: string): boolean {
  return name.test(text) && (isIPv4(text) || !/^[\d.]+$/.test(text));
}

/** Without a zone, such as `%eth0`: consumers on other machines have other zones. */
function isHost(text: string): boolean {
  return isHostName(text) || (isIPv6(text) && !text.includes("%"));
}

function explain(text: unknown): string {
  const [, inBrackets] = /^\[(.*)\]$/.exec(String(text)) ?? [];
  if (inBrackets !== undefined) return `must be written without brackets, as in ${inBrackets}`;
  const [, before = "", port = ""] = /^(.*):(\d+)$/.exec(String(text)) ?? [];
  return isHostName(before)
    ? `must be written without a port. Write host: ${before} and port: ${port}`
    : "must be a host name or an IP address";
}

/**
 * The host of a server, as drivers expect it. Brackets belong to addresses in URLs only: a driver would look them up as a name. Hosts
 * may become parts of a connection string, so characters with a meaning there are rejected.
 */
export const host = z
  .string()
  .regex(new RegExp(`^(?:${hostName}\\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$`), {
    error: ({ input }) => explain(input),
    abort: true,
  })
  .refine(isHost, { error: ({ input }) => explain(input) });

/** Source of a regular expression: an IPv6 address as a URL contains it. `isBracketed` decides exactly. */
export const bracketed = "\\[[0-9A-Fa-f:.]+\\]";

/** Whether the text is an IPv6 address in brackets. */
export function isBracketed(text: string): boolean {
  return text.startsWith("[") && text.endsWith("]") && isIPv6(text.slice(1, -1));
}
