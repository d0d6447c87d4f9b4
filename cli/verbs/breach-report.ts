import { Option } from "@commander-js/extra-typings";
import { itemStates } from "../../shared/app.ts";
import type { BreachTarget } from "../api/endpoints.ts";
import { previewColumns, reportColumns } from "../breach/breach-record.ts";
import { online, withExamples } from "../command.ts";
import { printJsonLine, printNote, printText } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { connect } from "../session.ts";

export const makeBreachReport = () =>
  withExamples(
    online("breach-report", "list the targets of a breach: preview, progress or report")
      .argument("<breach>", "id of the breach, from keyturn breaches")
      .addOption(new Option("--state <state>", "only targets in this state").choices(itemStates))
      .action(async (breach, options) => {
        const query = { state: options.state, limit: undefined, cursor: undefined };
        const pages = connect(options).pages("api-breach-targets", { params: { breach }, query });
        const found: BreachTarget[] = [];
        for await (const { targets } of pages) {
          if (options.json) targets.forEach(printJsonLine);
          else found.push(...targets);
        }
        if (options.json) return;
        if (found.length === 0) printNote("No target is in this state.");
        else {
          const isPreview = found.every(({ state }) => state === "waiting");
          printText(formatTable(found, isPreview ? previewColumns : reportColumns));
        }
      }),
    ["keyturn breach-report 01JQ0000000000000000000000", "every target and its outcome"],
    ["keyturn breach-report 01JQ0000000000000000000000 --state failed", "those that failed"],
  );
