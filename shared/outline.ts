import { findCaFile } from "./config/checks/authorities.ts";
import type { Config } from "./config/config.ts";
import { formatProblem } from "./config/problems.ts";
import { deadlines } from "./core/deadlines.ts";
import { ConfigError } from "./core/errors.ts";
import { parsePayload, readPayload } from "./core/payload/payload.ts";
import { findForm } from "./core/payload/texts/forms.ts";
import type { TextForm } from "./core/payload/texts/text-form.ts";
import { type Credential, Secret } from "./core/secrets/secret.ts";
import { hasGrace, type Target } from "./core/target.ts";
import type { Rotator } from "./rotators/rotator.ts";

/** A target in the form that tools show. */
export interface OutlinedTarget {
  readonly id: string;
  readonly type: string;
  /** The accounts. Two accounts take turns. */
  readonly accounts: readonly string[];
  /** Whether the superseded secret works until its grace is over, so that consumers are refused at no moment. */
  readonly keepsSuperseded: boolean;
  /** The secret that consumers read. */
  readonly publish: { readonly vaultUrl: string; readonly name: string };
  /** The absolute path of the CA file of the target, if it names one. */
  readonly caFile: string | undefined;
  /**
   * Logs in with a value of the published secret, as a consumer does. Throws if the value is not a credential of the target,
   * or if the target does not respond. The error never repeats the value. Keys of Azure are also compared with its list, with the
   * identity of this process.
   */
  readonly logIn: (value: string) => Promise<"accepted" | "rejected">;
}

/** The content of a valid configuration. */
export interface Outline {
  readonly targets: readonly OutlinedTarget[];
  /** The modules with rotators of the operator, as paths from the folder of the configuration. */
  readonly modules: readonly string[];
  readonly vaults: number;
  readonly consumers: number;
  readonly notifiers: number;
  /** Settings that are allowed but probably not intended. */
  readonly warnings: readonly string[];
}

export function makeOutline(config: Config, rotators: readonly Rotator[]): Outline {
  return {
    targets: config.targets.map((target) => outlineTarget(target, config, rotators)),
    modules: config.modules ?? [],
    vaults: Object.keys(config.vaults).length,
    consumers: Object.keys(config.consumers).length,
    notifiers: config.notifiers.length,
    warnings: config.warnings.map(formatProblem),
  };
}

function outlineTarget(
  target: Target,
  { vaults }: Config,
  rotators: readonly Rotator[],
): OutlinedTarget {
  const { id, type, options, slots, publish } = target;
  const accounts = slots.map(({ account }) => account);
  const rotator = rotators.find((one) => one.type === type);
  return {
    ...{ id, type, accounts },
    keepsSuperseded: hasGrace(target),
    publish: { vaultUrl: vaults[publish.vault]?.url ?? "", name: publish.name },
    caFile: findCaFile(options),
    async logIn(value) {
      const form = rotator && findForm(publish.as, rotator.endpoint(options).engine);
      const tried = rotator ? listCredentials(rotator, new Secret(value), accounts, form) : [];
      if (!rotator || tried.length === 0) {
        throw new ConfigError(`The secret ${publish.name} contains no credential of ${id}`);
      }
      const signal = AbortSignal.timeout(deadlines.verify);
      for (const credential of tried) {
        if ((await rotator.verify({ options, credential }, signal)) === "accepted") {
          return "accepted";
        }
      }
      return "rejected";
    },
  };
}

/** The credentials that a published value may be: of each account, where consumers read a key without the name of its account. */
function listCredentials(
  rotator: Rotator,
  value: Secret,
  accounts: readonly string[],
  form: TextForm | undefined,
): readonly Credential[] {
  const key = rotator.readConnectionString?.(value);
  if (key) return accounts.map((account) => ({ account, ...key }));
  const isNamed = readPayload(value, [], form).kind === "credential";
  const possible = rotator.findOwner && !isNamed ? accounts.map((one) => [one]) : [accounts];
  return possible.flatMap((names) => parsePayload(value, names, form) ?? []);
}
