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
  const [apply, mint, settle, examine, hasSessions, setBack, retire, discard] = [
    rotator.apply?.bind(rotator),
    rotator.mint?.bind(rotator),
    rotator.settle?.bind(rotator),
    rotator.examine?.bind(rotator),
    rotator.hasSessions?.bind(rotator),
    rotator.setBack?.bind(rotator),
    rotator.retire?.bind(rotator),
    rotator.discard?.bind(rotator),
  ];
  return {
    ...rotator,
    ...(apply && {
      apply: behindCheck(apply, ({ next, keep, using }) => [
        ...namesIn(next, keep),
        ...namesOf(using),
      ]),
    }),
    ...(mint && {
      mint: behindCheck(mint, ({ published, ...look }) => [
        ...namesOfLook(look),
        ...namesIn(published),
      ]),
    }),
    ...(settle && { settle: behindCheck(settle, namesOfLook) }),
    verify: behindCheck(rotator.verify.bind(rotator), ({ credential }) => namesIn(credential)),
    ...(examine && {
      examine: behindCheck(examine, ({ twin, ...look }) => [
        ...namesOfLook(look),
        ...(twin === undefined ? [] : [twin]),
      ]),
    }),
    ...(hasSessions && { hasSessions: behindCheck(hasSessions, namesOfLook) }),
    ...(setBack && {
      setBack: behindCheck(setBack, ({ earlier, next, using }) => [
        ...namesIn(earlier, next),
        ...namesOf(using),
      ]),
    }),
    ...(retire && {
      retire: behindCheck(async (call: Retire<Options>, signal): Promise<void> => {
        requireOther(rotator, call);
        await retire(call, signal);
      }, namesOfLook),
    }),
    ...(discard && {
      discard: behindCheck(discard, ({ keep, using }) => [...namesIn(keep), ...namesOf(using)]),
    }),
  };
}

/** Returns a function that puts a call of the rotator behind the check of the names that the call contains. */
function makeNameCheck<Options>(rotator: Rotator<Options>) {
  return function behindCheck<Call extends { readonly options: Options }, Result>(
    make: (call: Call, signal: AbortSignal) => Promise<Result>,
    listNames: (call: NoInfer<Call>) => readonly string[],
  ) {
    return async (call: Call, signal: AbortSignal): Promise<Result> => {
      for (const name of listNames(call)) {
        const problem = rotator.findUnfitAccount?.(name, call.options);
        if (problem === undefined) continue;
        throw new ConfigError(
          `${describeServer(rotator, call.options)}: the name of account ${JSON.stringify(name)} ${problem}`,
        );
      }
      return make(call, signal);
    };
  };
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
