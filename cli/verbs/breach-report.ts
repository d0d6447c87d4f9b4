import { Option } from "@commander-js/extra-typings";
import { itemStates } from "../../shared/app.ts";
import type { ApiAnswer, BreachTarget } from "../api/endpoints.ts";
import { previewColumns, reportColumns } from "../breach/breach-record.ts";
import { online, withExamples } from "../command.ts";
import { printEntries } from "../output/print-entries.ts";
import { connect } from "../session.ts";

export const makeBreachReport = () =>
  withExamples(
    online("breach-report", "list the targets of a breach: preview, progress or report")
      .argument("<breach>", "id of the breach, from keyturn breaches")
      .addOption(new Option("--state <state>", "only targets in this state").choices(itemStates))
      .action(async (breach, options) => {
        const query = { state: options.state, limit: undefined, cursor: undefined };
        const pages = connect(options).pages("api-breach-targets", { params: { breach }, query });
        const read = (page: ApiAnswer<"api-breach-targets">) => page.targets;
        const none = "No target is in this state.";
        await printEntries(options, { pages, read, columns: chooseColumns, none });
      }),
    ["keyturn breach-report 01JQ0000000000000000000000", "every target and its outcome"],
    ["keyturn breach-report 01JQ0000000000000000000000 --state failed", "those that failed"],
  );

function chooseColumns(targets: readonly BreachTarget[]) {
  const isPreview = targets.every(({ state }) => state === "waiting");
  return isPreview ? previewColumns : reportColumns;
}
