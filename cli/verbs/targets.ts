import type { ApiAnswer, TargetEntry } from "../api/endpoints.ts";
import { online, withExamples } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { colourState } from "../output/colour.ts";
import { printEntries } from "../output/print-entries.ts";
import type { Column } from "../output/table.ts";
import { shortTime } from "../output/times.ts";
import { answer, connect, type OnlineOptions } from "../session.ts";
import { type GivenFilters, hasFilter, pickFilters, withAllFilters } from "./filters.ts";
import { formatTarget, stateOf } from "./target-record.ts";

export const makeTargets = () =>
  withExamples(
    withAllFilters(
      online("targets", "list all targets, or show one").argument(
        "[target]",
        "id of the target to show",
      ),
    ).action(async (target, options) => {
      if (target === undefined) return listTargets(options);
      if (hasFilter(options)) {
        throw usageFailure("A filter cannot be combined with the id of a target.");
      }
      const found = await connect(options).call("api-target", { params: { target } });
      answer(options, found, (one) => formatTarget(one, Date.now()));
    }),
    ["keyturn targets", "all targets of the local app"],
    ["keyturn targets --health failing --json", "failing targets, one JSON object a line"],
    ["keyturn targets orders-db", "everything about one target"],
  );

/** Entries of a page: enough to need few requests, and little enough that one answer is fast. */
const pageLength = "100";

async function listTargets(options: GivenFilters & OnlineOptions): Promise<void> {
  const { overdue, ...filters } = pickFilters(options);
  const isOverdue = overdue ? ("true" as const) : undefined;
  const query = { ...filters, overdue: isOverdue, limit: pageLength, cursor: undefined };
  const pages = connect(options).pages("api-targets", { query });
  const read = (page: ApiAnswer<"api-targets">) => page.targets;
  await printEntries(options, { pages, read, columns, none: "No target matches." });
}

const columns: readonly Column<TargetEntry>[] = [
  { heading: "TARGET", read: ({ id }) => id, min: 16 },
  { heading: "TYPE", read: ({ type }) => type, min: 5 },
  { heading: "HEALTH", read: ({ health }) => health, style: colourState },
  { heading: "POLICY", read: ({ policy }) => policy, min: 6 },
  { heading: "NEXT DUE (UTC)", read: ({ nextDue }) => shortTime(nextDue) },
  { heading: "STATE", read: stateOf, min: 5 },
];
