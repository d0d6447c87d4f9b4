import { keyOf, withExamples, writing } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { formatRecord } from "../output/table.ts";
import { answer, connect } from "../session.ts";

export const makeUnblock = () =>
  withExamples(
    writing("unblock", "let a blocked target continue")
      .argument("<target>", "id of the target")
      .option("--version <id>", "version of a secret that holds the correct password")
      .option("--try-again", "try the stored passwords again")
      .action(async (target, options) => {
        const { version, tryAgain, reason, ticket } = options;
        if ((version === undefined) !== (tryAgain === true)) {
          throw usageFailure("Give either --version or --try-again.");
        }
        const unblocked = await connect(options).call("api-unblock", {
          params: { target },
          body: { version, reason, ticket },
          idempotencyKey: keyOf(options),
        });
        answer(options, unblocked, (one) =>
          formatRecord([
            ["Target", one.target],
            ["Because", one.why],
            ["Account", one.account],
            ["Rotation", one.rotation],
          ]),
        );
      }),
    ["keyturn unblock orders-db --try-again", "after the cause is fixed"],
    [
      "keyturn unblock orders-db --version 0123456789abcdef0123456789abcdef",
      "this version is correct",
    ],
  );
