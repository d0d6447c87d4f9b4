import { ConfigError } from "../../../core/errors.ts";
import { findTokenHostProblem, type TokenSystem } from "../../../core/secrets/addresses.ts";
import type { OptionFault, Using } from "../../rotator.ts";

/** A server that would receive the token of the app's identity. */
export interface TokenServer {
  readonly system: TokenSystem;
  readonly host: string;
  /** The field that names it, from the options on. */
  readonly path: readonly string[];
}

/** The fault of a host that gets no token. None for other authorities. */
export function findTokenHostFaults(
  { system, host, path }: TokenServer,
  as: Using["as"],
): OptionFault[] {
  const problem = as === "identity" ? findTokenHostProblem(host, system) : undefined;
  return problem === undefined ? [] : [{ path, message: problem }];
}

/** Throws ConfigError for the first fault, if there is one. `where` begins the message. */
export function requireNoFault([fault]: readonly OptionFault[], where: string): void {
  if (fault === undefined) return;
  throw new ConfigError(`${where}: ${["options", ...fault.path].join(".")} ${fault.message}`);
}
