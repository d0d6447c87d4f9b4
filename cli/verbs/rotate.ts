import { Option } from "@commander-js/extra-typings";
import { keyOf, toMoment, withExamples } from "../command.ts";
import { connect } from "../session.ts";
import { finishRequest, requesting, requireFollow } from "./requesting.ts";

export const makeRotate = () =>
  withExamples(
    requesting("rotate", "request a rotation now, or at a date")
      .argument("<target>", "id of the target")
      .addOption(
        new Option("--cause <cause>", "exposure means that somebody saw the secret").choices([
          "operator",
          "exposure",
        ] as const),
      )
      .option("--grace <time>", "how long the superseded password stays valid, such as 0s or 24h")
      .option(
        "--not-before <time>",
        "when the rotation may start, such as 2026-12-20T18:00:00Z (default: now)",
        toMoment,
      )
      .action(async (target, options) => {
        requireFollow(options);
        const { cause, reason, ticket, grace, notBefore, liftFreeze, force } = options;
        const requested = await connect(options).call("api-rotate", {
          params: { target },
          body: { cause, reason, ticket, grace, notBefore, liftFreeze, force },
          idempotencyKey: keyOf(options),
        });
        await finishRequest(options, requested);
      }),
    ["keyturn rotate orders-db --follow", "rotate and wait for the end"],
    ["keyturn rotate orders-db --cause exposure --grace 0s", "a leaked password of a pair"],
    ['keyturn rotate orders-db --reason "host compromised" --ticket INC0007', "for the auditors"],
    [
      'keyturn rotate orders-db --not-before 2027-01-04 --reason "eva leaves"',
      "when a person leaves",
    ],
    ['keyturn rotate orders-db --lift-freeze "ticket 4711"', "during a freeze"],
    ['keyturn rotate orders-db --force "ticket 4711"', "while the target is paused"],
  );
