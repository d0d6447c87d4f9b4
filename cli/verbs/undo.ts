import { keyOf, withExamples } from "../command.ts";
import { connect } from "../session.ts";
import { finishRequest, requesting, requireFollow } from "./requesting.ts";

export const makeUndo = () =>
  withExamples(
    requesting("undo", "publish the previous password again")
      .argument("<target>", "id of the target")
      .action(async (target, options) => {
        requireFollow(options);
        const { reason, ticket, liftFreeze, force } = options;
        const requested = await connect(options).call("api-undo", {
          params: { target },
          body: { reason, ticket, liftFreeze, force },
          idempotencyKey: keyOf(options),
        });
        await finishRequest(options, requested);
      }),
    ["keyturn undo orders-db --follow", "undo the last rotation and wait for the end"],
    ['keyturn undo orders-db --reason "the application cannot read it"', "with a reason"],
  );
