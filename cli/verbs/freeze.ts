import { Option } from "@commander-js/extra-typings";
import { keyMeaning, keyOf, online, ticketMeaning, toMoment, withExamples } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { answer, connect } from "../session.ts";
import { hasFilter, pickFilters, withTargetFilters } from "./filters.ts";
import { formatFreeze } from "./freeze-record.ts";

export const makeFreeze = () =>
  withExamples(
    withTargetFilters(
      online("freeze", "start no rotation until a moment, also of targets that match later")
        .argument("[targets...]", "ids of targets")
        .requiredOption("--until <time>", "when the freeze ends", toMoment)
        .requiredOption("--reason <text>", "why, for everyone whose rotation waits")
        .option("--ticket <id>", ticketMeaning)
        .option("--idempotency-key <key>", keyMeaning)
        .option("--from <time>", "when the freeze begins (default: now)", toMoment)
        .option("--all", "all targets, also those to come"),
    )
      .addOption(
        new Option(
          "--lift <reason>",
          "the one reason for which a rotation starts in spite of the freeze (default: exposure and breach)",
        ).choices(["exposure", "breach", "none"] as const),
      )
      .action(async (targets, options) => {
        const { until, reason, ticket, from, all, lift } = options;
        const { policy, type, vault, owner, tag } = pickFilters(options);
        const isSelected = targets.length > 0 || hasFilter(options);
        if (isSelected === (all === true)) {
          throw usageFailure("Name targets, or a filter such as --owner, or --all for everything.");
        }
        const freeze = await connect(options).call("api-freeze", {
          body: {
            ...{ until, reason, ticket, from, policy, type, vault, owner, tag },
            everything: all,
            targets: targets.length > 0 ? targets : undefined,
            lift: lift === undefined ? undefined : lift === "none" ? [] : [lift],
          },
          idempotencyKey: keyOf(options),
        });
        answer(options, freeze, (one) => formatFreeze(one, Date.now()));
      }),
    ['keyturn freeze --all --until 2027-01-02 --reason "holidays"', "everything"],
    [
      'keyturn freeze orders-db mails --until 2026-12-24 --reason "audit"',
      "two targets; end it with end-freeze",
    ],
  );
