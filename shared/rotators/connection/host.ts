import { z } from "zod";
import { hostName } from "../../core/secrets/addresses.ts";

/**
 * The host of a server, as drivers expect it. Brackets belong to addresses in URLs only: a driver would look them up as a name. Hosts
 * may become parts of a connection string, so characters with a meaning there are rejected.
 */
export const host = z
  .string()
  .regex(new RegExp(`^(?:${hostName}\\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$`), {
    error: ({ input }) =>
      typeof input === "string" && /^\[.*\]$/.test(input)
        ? `must be written without brackets, as in ${input.slice(1, -1)}`
        : "must be a host name or an IP address",
  });
