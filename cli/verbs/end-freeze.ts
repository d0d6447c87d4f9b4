import { keyOf, withExamples, writing } from "../command.ts";
import { answer, connect } from "../session.ts";
import { formatFreeze } from "./freeze-record.ts";

export const makeEndFreeze = () =>
  withExamples(
    writing("end-freeze", "end a freeze early")
      .argument("<freeze>", "id of the freeze, from keyturn freezes")
      .action(async (freeze, options) => {
        const ended = await connect(options).call("api-freeze-end", {
          params: { freeze },
          body: { reason: options.reason, ticket: options.ticket },
          idempotencyKey: keyOf(options),
        });
        answer(options, ended, (one) => formatFreeze(one, Date.now()));
      }),
    ["keyturn end-freeze 01JQ0000000000000000000000", "what waited for its end starts"],
  );
