import { ChangeRefusedError, ConfigError } from "../core/errors.ts";
import type { Credential } from "../core/secrets/secret.ts";
import { nameServer } from "../core/target.ts";
import type { Retire, Rotator, SettingRotator, Using } from "./rotator.ts";

/**
 * The rotator, behind checks that every rotator needs before it sends anything: that its system can have accounts of these names, because
 * a server that changes a name may mean another account, and that no account retires itself, because nobody could give it a secret again.
 */
export function guarded<Options>(rotator: SettingRotator<Options>): SettingRotator<Options>;
export function guarded<Options>(rotator: Rotator<Options>): Rotator<Options>;
export function guarded<Options>(rotator: Rotator<Options>): Rotator<Options> {
  const behindCheck = makeNameCheck(rotator);
  const retire = rotator.retire?.bind(rotator);
  const guards = {
    apply: behindCheck(rotator.apply?.bind(rotator), ({ next, keep, using }) => [
      ...namesIn(next, keep),
      ...namesOf(using),
    ]),
    mint: behindCheck(rotator.mint?.bind(rotator), ({ published, ...look }) => [
      ...namesOfLook(look),
      ...namesIn(published),
    ]),
    settle: behindCheck(rotator.settle?.bind(rotator), (look) => namesOfLook(look)),
    findEnd: behindCheck(rotator.findEnd?.bind(rotator), ({ credential, using }) => [
      ...namesIn(credential),
      ...namesOf(using),
    ]),
    examine: behindCheck(rotator.examine?.bind(rotator), ({ twin, ...look }) => [
      ...namesOfLook(look),
      ...(twin === undefined ? [] : [twin]),
    ]),
    hasSessions: behindCheck(rotator.hasSessions?.bind(rotator), (look) => namesOfLook(look)),
    setBack: behindCheck(rotator.setBack?.bind(rotator), ({ earlier, next, using }) => [
      ...namesIn(earlier, next),
      ...namesOf(using),
    ]),
    retire: behindCheck(
      retire &&
        (async (call: Retire<Options>, signal: AbortSignal): Promise<void> => {
          requireOther(rotator, call);
          await retire(call, signal);
        }),
      namesOfLook,
    ),
    discard: behindCheck(rotator.discard?.bind(rotator), ({ keep, using }) => [
      ...namesIn(keep),
      ...namesOf(using),
    ]),
  };
  const verify = rotator.verify.bind(rotator);
  return {
    ...rotator,
    ...dropAbsent(guards),
    verify: async (check, signal) => {
      requireFit(rotator, check.options, namesIn(check.credential, check.admin));
      return verify(check, signal);
    },
  };
}

type Present<Calls> = { [Name in keyof Calls]?: NonNullable<Calls[Name]> };

/** The calls that the rotator has. */
function dropAbsent<Calls extends object>(calls: Calls): Present<Calls> {
  const present = Object.entries(calls).filter(([, call]) => call !== undefined);
  return Object.fromEntries(present) as Present<Calls>;
}

/** Returns a function that puts a call of the rotator, if it has one, behind the check of the names that the call contains. */
function makeNameCheck<Options>(rotator: Rotator<Options>) {
  return function behindCheck<Call extends { readonly options: Options }, Result>(
    make: ((call: Call, signal: AbortSignal) => Promise<Result>) | undefined,
    listNames: (call: NoInfer<Call>) => readonly string[],
  ) {
    if (!make) return undefined;
    return async (call: Call, signal: AbortSignal): Promise<Result> => {
      requireFit(rotator, call.options, listNames(call));
      return make(call, signal);
    };
  };
}

function requireFit<Options>(
  rotator: Rotator<Options>,
  options: Options,
  names: readonly string[],
): void {
  for (const name of names) {
    const problem = rotator.findUnfitAccount?.(name, options);
    if (problem === undefined) continue;
    throw new ConfigError(
      `${describeServer(rotator, options)}: the name of account ${JSON.stringify(name)} ${problem}`,
    );
  }
}

function requireOther<Options>(
  rotator: Rotator<Options>,
  { options, account, using }: Retire<Options>,
): void {
  if (using.as !== "self") return;
  throw new ChangeRefusedError(
    `${describeServer(rotator, options)}, account ${account}: an account cannot retire itself. Set admin to the secret of an admin`,
  );
}

const describeServer = <Options>(rotator: Rotator<Options>, options: Options): string =>
  `${rotator.type} at ${nameServer(rotator.endpoint(options))}`;

const namesIn = (...credentials: readonly (Credential | undefined)[]): readonly string[] =>
  credentials.flatMap((one) => (one ? [one.account] : []));

/** The identity has no name here; that of its account is an option. */
const namesOf = (using: Using): readonly string[] =>
  using.as === "identity" ? [] : [using.credential.account];

const namesOfLook = (look: { readonly account: string; readonly using: Using }) => [
  look.account,
  ...namesOf(look.using),
];
