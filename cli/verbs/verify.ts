import { online, withExamples } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeVerify = () =>
  withExamples(
    online("verify", "log in with the published secret now, and change nothing")
      .argument("<target>", "id of the target")
      .action(async (target, options) => {
        const found = await connect(options).call("api-verify", {
          params: { target },
          isRepeatable: true,
        });
        answer(options, found, (one) =>
          formatRecord([
            ["Target", one.target],
            ["Result", one.result],
            ["Because", one.why],
            ["Account", one.account],
            ["Version", one.version],
            ["Checked", longTime(one.checkedAt, Date.now())],
            ["Not before", longTime(one.until, Date.now())],
          ]),
        );
        if (found.result !== "accepted") process.exitCode = exitCodes.failed;
      }),
    ["keyturn verify orders-db", "exits with 1 unless the target accepts the secret"],
  );
