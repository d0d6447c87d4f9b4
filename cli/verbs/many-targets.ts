import { exitCodes, usageFailure } from "../exit-codes.ts";
import { printNote } from "../output/print.ts";
import { type GivenFilters, hasFilter, pickFilters } from "./filters.ts";

/** The selection of a command that acts on many targets: ids or filters. Throws Failure for both, and for neither. */
export function toSelection(ids: readonly string[], options: GivenFilters) {
  const isFiltered = hasFilter(options);
  if (ids.length > 0 && isFiltered) {
    throw usageFailure("Ids of targets and filters cannot be combined. Use one of them.");
  }
  if (ids.length === 0 && !isFiltered) {
    throw usageFailure("Name targets, or give a filter such as --owner.");
  }
  return { targets: ids.length > 0 ? [...ids] : undefined, ...pickFilters(options) };
}

interface NotWritten {
  readonly target: string;
  readonly why: string;
}

/** Names the targets that could not be written, on standard error. The command ends with 1 if there are any. */
export function noteNotWritten(notWritten: readonly NotWritten[]): void {
  for (const { target, why } of notWritten) printNote(`Not written: ${target}: ${why}.`);
  if (notWritten.length > 0) process.exitCode = exitCodes.failed;
}
