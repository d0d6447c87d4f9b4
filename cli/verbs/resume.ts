import type { ApiAnswer } from "../api/endpoints.ts";
import { keyOf, withExamples, writing } from "../command.ts";
import { type Column, formatRecord, formatTable } from "../output/table.ts";
import { answer, connect } from "../session.ts";
import { withAllFilters } from "./filters.ts";
import { noteNotWritten, toSelection } from "./many-targets.ts";

export const makeResume = () =>
  withExamples(
    withAllFilters(
      writing("resume", "end the pauses of targets").argument("[targets...]", "ids of targets"),
    ).action(async (targets, options) => {
      const result = await connect(options).call("api-resumes", {
        body: { reason: options.reason, ticket: options.ticket, ...toSelection(targets, options) },
        idempotencyKey: keyOf(options),
      });
      const { resumed, notPaused, notWritten } = result;
      const written = [...resumed, ...notPaused];
      if (options.json || written.length > 0) answer(options, result, () => formatResumed(written));
      noteNotWritten(notWritten);
    }),
    ["keyturn resume orders-db", "what waited for the end of the pause starts at once"],
    ["keyturn resume --owner ada", "all that match"],
  );

type Resumed = ApiAnswer<"api-resumes">["resumed"][number];

function formatResumed(found: readonly Resumed[]): string {
  const [first] = found;
  if (!first || found.length > 1) return formatTable(found, columns);
  return formatRecord([
    ["Target", first.target],
    ["Resumed", first.resumed ? "yes" : "no"],
    ["Because", first.why],
  ]);
}

const columns: readonly Column<Resumed>[] = [
  { heading: "TARGET", read: ({ target }) => target, min: 16 },
  { heading: "RESUMED", read: ({ resumed }) => (resumed ? "yes" : "no") },
  { heading: "BECAUSE", read: ({ why }) => why, min: 7 },
];
