import type { ApiAnswer } from "../api/endpoints.ts";
import { keyMeaning, keyOf, online, ticketMeaning, toMoment, withExamples } from "../command.ts";
import { type Column, formatRecord, formatTable } from "../output/table.ts";
import { longTime, shortTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";
import { withAllFilters } from "./filters.ts";
import { noteNotWritten, toSelection } from "./many-targets.ts";

export const makePause = () =>
  withExamples(
    withAllFilters(
      online("pause", "leave targets alone until a moment: start no rotation and no retirement")
        .argument("[targets...]", "ids of targets")
        .requiredOption("--until <time>", "when the pause ends", toMoment)
        .requiredOption("--reason <text>", "why, for everyone who waits for the end of the pause")
        .option("--ticket <id>", ticketMeaning)
        .option("--idempotency-key <key>", keyMeaning),
    ).action(async (targets, options) => {
      const { until, reason, ticket } = options;
      const result = await connect(options).call("api-pauses", {
        body: { until, reason, ticket, ...toSelection(targets, options) },
        idempotencyKey: keyOf(options),
      });
      const { paused, notWritten } = result;
      if (options.json || paused.length > 0) {
        answer(options, result, () => formatPaused(paused, Date.now()));
      }
      noteNotWritten(notWritten);
    }),
    ['keyturn pause orders-db --until 2026-12-24 --reason "migration"', "end it with resume"],
    ['keyturn pause --owner ada --until 2026-12-24 --reason "migration"', "all that match now"],
  );

type Paused = ApiAnswer<"api-pauses">["paused"][number];

function formatPaused(paused: readonly Paused[], now: number): string {
  const [first] = paused;
  if (!first || paused.length > 1) return formatTable(paused, columns);
  const { target, pause, replaced, why } = first;
  return formatRecord([
    ["Target", target],
    ["Paused until", longTime(pause.until, now)],
    ["Reason", pause.reason],
    ["Ticket", pause.ticket],
    ["Replaced", replaced && `${replaced.reason}, by ${replaced.by}, until ${replaced.until}`],
    ["Because", why],
  ]);
}

const columns: readonly Column<Paused>[] = [
  { heading: "TARGET", read: ({ target }) => target, min: 16 },
  { heading: "PAUSED UNTIL (UTC)", read: ({ pause }) => shortTime(pause.until) },
  { heading: "BECAUSE", read: ({ why }) => why, min: 7 },
];
