import { keyMeaning, online, toMoment, withExamples } from "../command.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeUse = () =>
  withExamples(
    online("use", "report that the secret was used")
      .argument("<target>", "id of the target")
      .option("--at <time>", "when (default: now)", toMoment)
      .option("--by <name>", "who used it")
      .option("--idempotency-key <key>", keyMeaning)
      .action(async (target, options) => {
        const { at, by } = options;
        const outcome = await connect(options).call("api-uses", {
          params: { target },
          body: { at, by },
          // Without a key of the caller, the journal need not remember one for each report.
          ...(options.idempotencyKey === undefined
            ? { isRepeatable: true }
            : { idempotencyKey: options.idempotencyKey }),
        });
        answer(options, outcome, (one) =>
          formatRecord([
            ["Target", one.target],
            ["Counted", one.counted ? "yes" : "no"],
            ["Because", one.why],
            ["Last use", longTime(one.lastUsedAt, Date.now())],
            ["Next due", longTime(one.nextDue, Date.now())],
          ]),
        );
      }),
    ["keyturn use orders-db --by nightly-job", "an audit log showed a log-in"],
  );
