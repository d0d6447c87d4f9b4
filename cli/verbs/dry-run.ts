import type { ApiAnswer } from "../api/endpoints.ts";
import { online, withExamples } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Field, formatRecord } from "../output/table.ts";
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
        answer(options, found, formatDryRun);
        if (!found.ready) process.exitCode = exitCodes.failed;
      }),
    ["keyturn dry-run orders-db", "exits with 1 if a check failed"],
  );

function formatDryRun({ target, ready, checks }: ApiAnswer<"api-dry-run">): string {
  return formatRecord([
    ["Target", target],
    ["Ready", ready ? "yes" : "no"],
    ...checks.flatMap(({ check, about, result, sentence, action }): Field[] => [
      [check, `${result}, ${about}: ${sentence}`],
      ["  do", action],
    ]),
  ]);
}
