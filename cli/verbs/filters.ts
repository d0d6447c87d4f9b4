import { type Command, Option, type OptionValues } from "@commander-js/extra-typings";
import { toMoment } from "../command.ts";

/** Adds the filters that only the configuration decides. Several must all match. */
export function withTargetFilters<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option("--policy <name>", "only targets under this policy")
    .option("--type <type>", "only targets of this type, such as postgresql")
    .option("--vault <name>", "only targets that publish into this vault")
    .option("--owner <name>", "only targets whose tag `owner` has this value")
    .option("--tag <name:value>", "only targets with this tag");
}

const healths = ["new", "healthy", "failing", "blocked", "unreadable"] as const;

/** Adds every filter of targets, also those by the present state. */
export function withAllFilters<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return withTargetFilters(
    command.addOption(
      new Option("--health <health>", "only targets with this health").choices(healths),
    ),
  )
    .option("--overdue", "only targets that were due more than 15 minutes ago")
    .option("--due-before <time>", "only targets that are due before this moment", toMoment);
}

/** The filters of a command line. */
export interface GivenFilters {
  readonly health?: (typeof healths)[number] | undefined;
  readonly policy?: string | undefined;
  readonly type?: string | undefined;
  readonly vault?: string | undefined;
  readonly owner?: string | undefined;
  readonly tag?: string | undefined;
  readonly overdue?: true | undefined;
  readonly dueBefore?: string | undefined;
}

/** The filters among the options of a command. */
export function pickFilters(options: GivenFilters) {
  const { health, policy, type, vault, owner, tag, overdue, dueBefore } = options;
  return { health, policy, type, vault, owner, tag, overdue, dueBefore };
}

export const hasFilter = (options: GivenFilters): boolean =>
  Object.values(pickFilters(options)).some((value) => value !== undefined);
