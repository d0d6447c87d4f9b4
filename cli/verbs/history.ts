import type { RotationEntry } from "../api/endpoints.ts";
import { online, toCount, withExamples } from "../command.ts";
import { printJsonLine, printNote, printText } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { connect } from "../session.ts";
import { historyColumns } from "./rotation-record.ts";
import { takeEntries } from "./take-entries.ts";

export const makeHistory = () =>
  withExamples(
    online("history", "list the rotations of a target, newest first")
      .argument("<target>", "id of the target")
      .option("--limit <count>", "at most this many rotations", toCount, 20)
      .option("--all", "the whole history")
      .action(async (target, options) => {
        const limit = options.all ? Infinity : options.limit;
        const query = { limit: String(Math.min(100, limit)), cursor: undefined };
        const pages = connect(options).pages("api-rotations", { params: { target }, query });
        const found: RotationEntry[] = [];
        for await (const entry of takeEntries(pages, ({ rotations }) => rotations, limit)) {
          if (options.json) printJsonLine(entry);
          else found.push(entry);
        }
        if (options.json) return;
        if (found.length === 0) printNote(`Target ${target} has no rotation yet.`);
        else printText(formatTable(found, historyColumns));
      }),
    ["keyturn history orders-db", "the newest 20 rotations"],
    ["keyturn history orders-db --all --json", "the whole history, one JSON object a line"],
  );
