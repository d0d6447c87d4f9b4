import type { ApiAnswer } from "../api/endpoints.ts";
import { online, toCount, withExamples } from "../command.ts";
import { printEntries, toLimit } from "../output/print-entries.ts";
import { connect } from "../session.ts";
import { historyColumns } from "./rotation-record.ts";

export const makeHistory = () =>
  withExamples(
    online("history", "list the rotations of a target, newest first")
      .argument("<target>", "id of the target")
      .option("--limit <count>", "at most this many rotations", toCount, 20)
      .option("--all", "the whole history")
      .action(async (target, options) => {
        const { limit, pageLength } = toLimit(options);
        const query = { limit: pageLength, cursor: undefined };
        const pages = connect(options).pages("api-rotations", { params: { target }, query });
        const read = (page: ApiAnswer<"api-rotations">) => page.rotations;
        const none = `Target ${target} has no rotation yet.`;
        await printEntries(options, { pages, read, limit, columns: historyColumns, none });
      }),
    ["keyturn history orders-db", "the newest 20 rotations"],
    ["keyturn history orders-db --all --json", "the whole history, one JSON object a line"],
  );
