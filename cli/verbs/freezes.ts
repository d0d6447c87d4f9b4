import { online, withExamples } from "../command.ts";
import { exitCodes, Failure, usageFailure } from "../exit-codes.ts";
import { printEntries } from "../output/print-entries.ts";
import { answer, connect } from "../session.ts";
import { formatFreeze, freezeColumns } from "./freeze-record.ts";

export const makeFreezes = () =>
  withExamples(
    online("freezes", "list the freezes that people have set, or show one")
      .argument("[freeze]", "id of the freeze to show")
      .option("--all", "also those that have ended, as long as the journal keeps them")
      .action(async (freeze, options) => {
        if (freeze !== undefined && options.all) {
          throw usageFailure("--all cannot be combined with the id of a freeze.");
        }
        const { freezes } = await connect(options).call("api-freezes", {});
        if (freeze !== undefined) {
          const found = freezes.find(({ id }) => id === freeze) ?? failToFind(freeze);
          answer(options, found, (one) => formatFreeze(one, Date.now()));
          return;
        }
        const shown = freezes.filter(({ state }) => options.all === true || state !== "ended");
        await printEntries(options, {
          pages: [shown],
          read: (page) => page,
          columns: freezeColumns,
          none: options.all ? "No freezes." : "No freeze is in force or planned.",
        });
      }),
    ["keyturn freezes", "the freezes in force, and those to come"],
    ["keyturn freezes --all --json", "those that have ended too, one JSON object a line"],
  );

function failToFind(freeze: string): never {
  throw new Failure(
    `Freeze ${freeze} does not exist. \`keyturn freezes --all\` lists the freezes.`,
    exitCodes.notFound,
  );
}
