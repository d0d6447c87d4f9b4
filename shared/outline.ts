import { findCaFile } from "./config/checks/authorities.ts";
import type { Config } from "./config/config.ts";
import { formatProblem } from "./config/problems.ts";
import { deadlines } from "./core/deadlines.ts";
import { ConfigError } from "./core/errors.ts";
import { parsePayload } from "./core/payload/payload.ts";
import { Secret } from "./core/secrets/secret.ts";
import type { Target } from "./core/target.ts";
import type { Rotator } from "./rotators/rotator.ts";

/** A target as tools show it. */
export interface OutlinedTarget {
  readonly id: string;
  readonly type: string;
  /** Two of them take turns. */
  readonly accounts: readonly string[];
  /** The secret that its consumers read. */
  readonly publish: { readonly vaultUrl: string; readonly name: string };
  /** The file with the authorities that the target trusts, if it names one; absolute. */
  readonly caFile: string | undefined;
  /**
   * Logs in with a value of the published secret, as a consumer would. Throws when the value is not a credential of the
   * target, or the target does not answer; the error never repeats the value.
   */
  readonly logIn: (value: string) => Promise<"accepted" | "rejected">;
}

/** What a configuration that can start contains. */
export interface Outline {
  readonly targets: readonly OutlinedTarget[];
  readonly vaults: number;
  readonly consumers: number;
  readonly notifiers: number;
  /** Allowed, and worth a second look. */
  readonly warnings: readonly string[];
}

export function makeOutline(config: Config, rotators: readonly Rotator[]): Outline {
  return {
    targets: config.targets.map((target) => outlineTarget(target, config, rotators)),
    vaults: Object.keys(config.vaults).length,
    consumers: Object.keys(config.consumers).length,
    notifiers: config.notifiers.length,
    warnings: config.warnings.map(formatProblem),
  };
}

function outlineTarget(
  { id, type, options, slots, publish }: Target,
  { vaults }: Config,
  rotators: readonly Rotator[],
): OutlinedTarget {
  const accounts = slots.map(({ account }) => account);
  return {
    id,
    type,
    accounts,
    publish: { vaultUrl: vaults[publish.vault]?.url ?? "", name: publish.name },
    caFile: findCaFile(options),
    async logIn(value) {
      const credential = parsePayload(new Secret(value), accounts);
      const rotator = rotators.find((one) => one.type === type);
      if (!credential || !rotator) {
        throw new ConfigError(`The secret ${publish.name} contains no credential of ${id}`);
      }
      return rotator.verify({ options, credential }, AbortSignal.timeout(deadlines.verify));
    },
  };
}
