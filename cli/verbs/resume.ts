import { online, withExamples } from "../command.ts";
import { formatRecord } from "../output/table.ts";
import { answer, connect } from "../session.ts";

export const makeResume = () =>
  withExamples(
    online("resume", "end the pause of a target")
      .argument("<target>", "id of the target")
      .action(async (target, options) => {
        const resumed = await connect(options).call("api-resume", {
          params: { target },
          isRepeatable: true,
        });
        answer(options, resumed, (one) =>
          formatRecord([
            ["Target", one.target],
            ["Resumed", one.resumed ? "yes" : "no"],
            ["Because", one.why],
          ]),
        );
      }),
    ["keyturn resume orders-db", "what waited for the end of the pause starts at once"],
  );
