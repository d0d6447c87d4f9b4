import { defaultCreates } from "../../core/fleet/vault-limit.ts";
import type { Ports } from "../ports.ts";

/** How many versions a vault creates in 10 seconds. */
export function perWindowOf({ pace }: Pick<Ports, "pace">): (vault: string) => number {
  return (vault) => pace?.perWindow(vault) ?? defaultCreates;
}
