import { Option } from "@commander-js/extra-typings";
import { online, toMoment, withExamples } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeFreeze = () =>
  withExamples(
    online("freeze", "start no rotation of the selected targets until a moment")
      .argument("[targets...]", "ids of targets")
      .requiredOption("--until <time>", "when the freeze ends", toMoment)
      .requiredOption("--reason <text>", "why, for everyone whose rotation waits")
      .option("--from <time>", "when the freeze begins (default: now)", toMoment)
      .option("--all", "all targets, also those to come")
      .option("--policy <name>", "targets under this policy")
      .option("--type <type>", "targets of this type")
      .option("--vault <name>", "targets that publish into this vault")
      .option("--owner <name>", "targets whose tag `owner` has this value")
      .option("--tag <name:value>", "targets with this tag")
      .addOption(
        new Option(
          "--lift <reason>",
          "the one reason for which a rotation starts in spite of the freeze (default: exposure and breach)",
        ).choices(["exposure", "breach", "none"] as const),
      )
      .action(async (targets, options) => {
        const { until, reason, from, all, policy, type, vault, owner, tag, lift } = options;
        const selection = { policy, type, vault, owner, tag };
        const isSelected =
          targets.length > 0 || Object.values(selection).some((value) => value !== undefined);
        if (isSelected === (all === true)) {
          throw usageFailure("Name targets, or a filter such as --owner, or --all for everything.");
        }
        const freeze = await connect(options).call("api-freeze", {
          body: {
            ...{ until, reason, from, ...selection },
            everything: all,
            targets: targets.length > 0 ? targets : undefined,
            lift: lift === undefined ? undefined : lift === "none" ? [] : [lift],
          },
        });
        answer(options, freeze, (one) =>
          formatRecord([
            ["Freeze", one.id],
            ["State", one.state],
            ["From", longTime(one.from, Date.now())],
            ["Until", longTime(one.until, Date.now())],
            ["Reason", one.reason],
            ["Lifted by", one.lift.join(", ")],
            ["Targets", `${one.matches} at present`],
          ]),
        );
      }),
    ['keyturn freeze --all --until 2027-01-02 --reason "holidays"', "everything"],
    ['keyturn freeze orders-db mails --until 2026-12-24 --reason "audit"', "two targets"],
  );
