import type { ApiAnswer, BreachEntry } from "../api/endpoints.ts";
import { formatBreach } from "../breach/breach-record.ts";
import { followAndReport } from "../breach/run-breach.ts";
import { online, toCount, toDuration, withExamples } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { colourState } from "../output/colour.ts";
import { printEntries, toLimit } from "../output/print-entries.ts";
import type { Column } from "../output/table.ts";
import { shortTime } from "../output/times.ts";
import { answer, connect, type OnlineOptions } from "../session.ts";

export const makeBreaches = () =>
  withExamples(
    online("breaches", "list breaches and previews, newest first, or show one")
      .argument("[breach]", "id of the breach to show")
      .option("--follow", "with a breach: wait for its end, and exit by its outcome")
      .option("--timeout <time>", "with --follow: how long to wait", toDuration)
      .option("--limit <count>", "at most this many breaches", toCount, 20)
      .action(async (breach, options) => {
        const { follow, timeout } = options;
        if (follow && breach === undefined) throw usageFailure("--follow needs a breach.");
        if (timeout !== undefined && !follow) throw usageFailure("--timeout needs --follow.");
        if (breach === undefined) return listBreaches(options, options.limit);
        if (follow) return followAndReport(breach, options);
        const found = await connect(options).call("api-breach", { params: { breach } });
        answer(options, found, (one) => formatBreach(one, Date.now()));
      }),
    ["keyturn breaches", "the newest 20"],
    ["keyturn breaches 01JQ0000000000000000000000 --follow", "wait for the end of one"],
  );

async function listBreaches(options: OnlineOptions, limit: number): Promise<void> {
  const query = { limit: toLimit({ limit }).pageLength, cursor: undefined };
  const pages = connect(options).pages("api-breaches", { query });
  const read = (page: ApiAnswer<"api-breaches">) => page.breaches;
  await printEntries(options, { pages, read, limit, columns, none: "No breaches." });
}

const columns: readonly Column<BreachEntry>[] = [
  { heading: "BREACH", read: ({ id }) => id },
  { heading: "STATE", read: ({ state }) => state, style: colourState },
  { heading: "MADE (UTC)", read: (one) => ("at" in one ? shortTime(one.at) : undefined) },
  {
    heading: "ROTATED",
    read: (one) => ("at" in one ? `${one.counts.rotated}/${one.summary.targets}` : undefined),
  },
  { heading: "REASON", read: (one) => ("at" in one ? one.reason : one.why), min: 6 },
];
