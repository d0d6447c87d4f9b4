import { Option } from "@commander-js/extra-typings";
import { keyOf, toMoment, withExamples, writing } from "../command.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeExpose = () =>
  withExamples(
    writing("expose", "report that somebody saw the secret")
      .argument("<target>", "id of the target")
      .requiredOption("--by <name>", "who saw it")
      .option("--at <time>", "when (default: now)", toMoment)
      .option("--from <place>", "where it was seen, such as the name of a log")
      .option(
        "--version <id>",
        "the version that was seen (default: the one that was published at that time)",
      )
      .addOption(
        new Option("--kind <kind>", "a breach lifts the freezes that list it").choices([
          "exposure",
          "breach",
        ] as const),
      )
      .action(async (target, options) => {
        const { by, at, from, version, kind, reason, ticket } = options;
        const outcome = await connect(options).call("api-exposures", {
          params: { target },
          body: { by, at, from, version, kind, reason, ticket },
          idempotencyKey: keyOf(options),
        });
        answer(options, outcome, (one) =>
          formatRecord([
            ["Target", one.target],
            ["Counted", one.counted ? "yes" : "no"],
            ["Because", one.why],
            ["Next due", longTime(one.nextDue, Date.now())],
            ["Rotation", one.rotation],
          ]),
        );
      }),
    ['keyturn expose orders-db --by "J. Doe" --from ci-log', "somebody saw the password"],
    ["keyturn expose orders-db --by scanner --kind breach", "starts during freezes as well"],
  );
