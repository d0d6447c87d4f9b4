import { keyOf, withExamples, writing } from "../command.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeCancel = () =>
  withExamples(
    writing("cancel", "cancel a rotation that is scheduled for a date")
      .argument("<target>", "id of the target")
      .argument("<rotation>", "id of the rotation, from keyturn explain")
      .action(async (target, rotation, options) => {
        const { reason, ticket } = options;
        const cancelled = await connect(options).call("api-rotation-cancel", {
          params: { target, rotation },
          body: { reason, ticket },
          idempotencyKey: keyOf(options),
        });
        answer(options, cancelled, (one) =>
          formatRecord([
            ["Rotation", one.rotation],
            ["Target", one.target],
            ["Scheduled for", longTime(one.notBefore, Date.now())],
            ["Because", one.why],
          ]),
        );
      }),
    ["keyturn cancel orders-db 01JQ0000000000000000000000", "nobody needs it any more"],
    ['keyturn cancel orders-db 01JQ0000000000000000000000 --reason "eva stays"', "with a reason"],
  );
