import { ChangeRefusedError, ConfigError } from "../core/errors.ts";
import { nameServer } from "../core/target.ts";
import type { Retire, Rotator, Using } from "./rotator.ts";

/**
 * The rotator, behind checks that every rotator needs before it sends anything: that its system can have accounts of these names, because
 * a server that changes a name may mean another account, and that no account retires itself, because nobody could give it a secret again.
 */
export function guarded<Options>(rotator: Rotator<Options>): Rotator<Options> {
  const { type } = rotator;
  const at = (options: Options) => `${type} at ${nameServer(rotator.endpoint(options))}`;

  function behindCheck<Call extends { readonly options: Options }, Result>(
    make: (call: Call, signal: AbortSignal) => Promise<Result>,
    listNames: (call: NoInfer<Call>) => readonly string[],
  ) {
    return async (call: Call, signal: AbortSignal): Promise<Result> => {
      for (const name of listNames(call)) {
        const problem = rotator.findUnfitAccount?.(name);
        if (problem === undefined) continue;
        throw new ConfigError(
          `${at(call.options)}: the name of account ${JSON.stringify(name)} ${problem}`,
        );
      }
      return make(call, signal);
    };
  }

  const [examine, hasSessions, retire, discard] = [
    rotator.examine?.bind(rotator),
    rotator.hasSessions?.bind(rotator),
    rotator.retire?.bind(rotator),
    rotator.discard?.bind(rotator),
  ];
  const ofLook = (look: { readonly account: string; readonly using: Using }) => [
    look.account,
    ...namesOf(look.using),
  ];
  return {
    ...rotator,
    apply: behindCheck(rotator.apply.bind(rotator), ({ next, keep, using }) => [
      next.account,
      ...(keep ? [keep.account] : []),
      ...namesOf(using),
    ]),
    verify: behindCheck(rotator.verify.bind(rotator), ({ credential }) => [credential.account]),
    ...(examine && {
      examine: behindCheck(examine, ({ twin, ...look }) => [
        ...ofLook(look),
        ...(twin === undefined ? [] : [twin]),
      ]),
    }),
    ...(hasSessions && { hasSessions: behindCheck(hasSessions, ofLook) }),
    ...(retire && {
      retire: behindCheck(async (call: Retire<Options>, signal): Promise<void> => {
        if (call.using.as === "self") {
          throw new ChangeRefusedError(
            `${at(call.options)}, account ${call.account}: an account cannot retire itself. Set admin to the secret of an admin`,
          );
        }
        await retire(call, signal);
      }, ofLook),
    }),
    ...(discard && {
      discard: behindCheck(discard, ({ keep, using }) => [keep.account, ...namesOf(using)]),
    }),
  };
}

/** The identity has no name here; that of its account is an option. */
const namesOf = (using: Using): readonly string[] =>
  using.as === "identity" ? [] : [using.credential.account];
