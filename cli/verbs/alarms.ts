import type { Alarm } from "../api/endpoints.ts";
import { online, toCount, withExamples } from "../command.ts";
import { printJsonLine, printNote, printText } from "../output/print.ts";
import { type Column, formatTable } from "../output/table.ts";
import { shortTime } from "../output/times.ts";
import { connect } from "../session.ts";
import { takeEntries } from "./take-entries.ts";

export const makeAlarms = () =>
  withExamples(
    online("alarms", "list alarms that belong to no rotation, newest first")
      .option("--limit <count>", "at most this many alarms", toCount, 20)
      .option("--all", "all alarms that the journal keeps")
      .action(async (options) => {
        const limit = options.all ? Infinity : options.limit;
        const query = { limit: String(Math.min(100, limit)), cursor: undefined };
        const pages = connect(options).pages("api-alarms", { query });
        const found: Alarm[] = [];
        for await (const entry of takeEntries(pages, ({ alarms }) => alarms, limit)) {
          if (options.json) printJsonLine(entry);
          else found.push(entry);
        }
        if (options.json) return;
        if (found.length === 0) printNote("No alarms.");
        else printText(formatTable(found, columns));
      }),
    ["keyturn alarms", "the newest 20 alarms"],
    ["keyturn alarms --json", "one JSON object a line"],
  );

const columns: readonly Column<Alarm>[] = [
  { heading: "AT (UTC)", read: ({ at }) => shortTime(at) },
  { heading: "KIND", read: ({ kind }) => kind, min: 8 },
  { heading: "TARGET", read: ({ targetId }) => targetId, min: 8 },
  { heading: "MESSAGE", read: ({ message }) => message, min: 10 },
];
