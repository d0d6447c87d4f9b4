import { online, toMoment, withExamples } from "../command.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makePause = () =>
  withExamples(
    online("pause", "start no rotation of a target until a moment")
      .argument("<target>", "id of the target")
      .requiredOption("--until <time>", "when the pause ends", toMoment)
      .requiredOption("--reason <text>", "why, for everyone who waits for the end of the pause")
      .action(async (target, options) => {
        const { until, reason } = options;
        const paused = await connect(options).call("api-pause", {
          params: { target },
          body: { until, reason },
          isRepeatable: true,
        });
        answer(options, paused, (one) =>
          formatRecord([
            ["Target", one.target],
            ["Paused until", longTime(one.pause.until, Date.now())],
            ["Reason", one.pause.why],
            ["Because", one.why],
          ]),
        );
      }),
    ['keyturn pause orders-db --until 2026-12-24 --reason "migration"', "end it with resume"],
  );
