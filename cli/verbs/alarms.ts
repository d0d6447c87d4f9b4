import type { Alarm, ApiAnswer } from "../api/endpoints.ts";
import { online, toCount, withExamples } from "../command.ts";
import { printEntries, toLimit } from "../output/print-entries.ts";
import type { Column } from "../output/table.ts";
import { shortTime } from "../output/times.ts";
import { connect } from "../session.ts";

export const makeAlarms = () =>
  withExamples(
    online("alarms", "list alarms that belong to no rotation, newest first")
      .option("--limit <count>", "at most this many alarms", toCount, 20)
      .option("--all", "all alarms that the journal keeps")
      .action(async (options) => {
        const { limit, pageLength } = toLimit(options);
        const query = { limit: pageLength, cursor: undefined };
        const pages = connect(options).pages("api-alarms", { query });
        const read = (page: ApiAnswer<"api-alarms">) => page.alarms;
        await printEntries(options, { pages, read, limit, columns, none: "No alarms." });
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
