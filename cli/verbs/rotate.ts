import { Option } from "@commander-js/extra-typings";
import type { ApiAnswer } from "../api/endpoints.ts";
import { keyOf, toDuration, withExamples, writing } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";
import { exitCodeOf, follow } from "./follow.ts";
import { formatRotation } from "./rotation-record.ts";

export const makeRotate = () =>
  withExamples(
    writing("rotate", "request a rotation now")
      .argument("<target>", "id of the target")
      .addOption(
        new Option("--cause <cause>", "exposure means that somebody saw the secret").choices([
          "operator",
          "exposure",
        ] as const),
      )
      .option(
        "--grace <time>",
        "how long the superseded password of a pair stays valid, such as 0s or 24h",
      )
      .option("--lift-freeze <text>", "why the rotation starts although a freeze is in force")
      .option("--force <text>", "why the rotation starts although the target is paused")
      .option("--follow", "wait for the end of the rotation, and exit by its outcome")
      .option("--timeout <time>", "with --follow: how long to wait", toDuration)
      .action(async (target, options) => {
        if (options.timeout !== undefined && !options.follow) {
          throw usageFailure("--timeout needs --follow.");
        }
        const { cause, reason, ticket, grace, liftFreeze, force } = options;
        const requested = await connect(options).call("api-rotate", {
          params: { target },
          body: { cause, reason, ticket, grace, liftFreeze, force },
          idempotencyKey: keyOf(options),
        });
        if (!options.follow) {
          answer(options, requested, (one) => formatRequested(one, Date.now()));
          return;
        }
        const rotation = await follow({
          target,
          rotation: requested.rotation,
          timeoutMs: options.timeout,
          connect: (signal) => connect(options, signal),
        });
        answer(options, rotation, (one) => formatRotation(one, Date.now()));
        process.exitCode = exitCodeOf(rotation);
      }),
    ["keyturn rotate orders-db --follow", "rotate and wait for the end"],
    ["keyturn rotate orders-db --cause exposure --grace 0s", "a leaked password of a pair"],
    ['keyturn rotate orders-db --reason "host compromised" --ticket INC0007', "for the auditors"],
    ['keyturn rotate orders-db --lift-freeze "ticket 4711"', "during a freeze"],
    ['keyturn rotate orders-db --force "ticket 4711"', "while the target is paused"],
  );

function formatRequested(requested: ApiAnswer<"api-rotate">, now: number): string {
  return formatRecord([
    ["Rotation", requested.rotation],
    ["Target", requested.target],
    ["Joined", requested.joined ? "yes: it was queued or under way already" : undefined],
    ["Because", requested.why],
    ["Waits until", longTime(requested.queuedUntil, now)],
    ["Waits for", requested.queuedWhy],
    ["Follow it", `keyturn rotation ${requested.target} ${requested.rotation} --follow`],
  ]);
}
