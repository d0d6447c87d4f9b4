import { online, withExamples } from "../command.ts";
import { formatRecord } from "../output/table.ts";
import { answer, connect } from "../session.ts";

export const makeDryRun = () =>
  withExamples(
    online("dry-run", "check whether a rotation would succeed, and change nothing")
      .argument("<target>", "id of the target")
      .action(async (target, options) => {
        const found = await connect(options).call("api-dry-run", {
          params: { target },
          body: {},
          isRepeatable: true,
        });
        answer(options, found, (one) =>
          formatRecord(
            Object.entries(one).map(([name, value]) => [
              name,
              typeof value === "string" ? value : JSON.stringify(value),
            ]),
          ),
        );
      }),
    ["keyturn dry-run orders-db", "before a rotation that must not fail"],
  );
