import { Argument, Option } from "@commander-js/extra-typings";
import { ledgerActions, ledgerOutcomes } from "../../shared/app.ts";
import { online, toCount, toMoment, withExamples } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

const whats = ["list", "head", "verify"] as const;

export const makeAudit = () =>
  withExamples(
    online("audit", "list who did what, export this ledger, or verify an export without an app")
      .addArgument(
        new Argument("[what]", "list entries, show the newest head, or verify a file")
          .choices(whats)
          .default("list" as const),
      )
      .argument("[file]", "the export to verify")
      .option("--limit <count>", "list: at most this many entries", toCount, 20)
      .option("--all", "list: every entry that is stored")
      .option("--target <id>", "list: entries about this target")
      .option("--rotation <id>", "list: entries about this rotation")
      .option("--by <name>", "list: entries of this caller")
      .addOption(
        new Option("--action <action>", "list: entries of this kind").choices(ledgerActions),
      )
      .addOption(
        new Option("--outcome <outcome>", "list: entries that ended so").choices(ledgerOutcomes),
      )
      .option("--ticket <id>", "list: entries with this ticket")
      .option("--since <time>", "list, --export: a day or an instant", toMoment)
      .option("--until <time>", "list, --export: the same", toMoment)
      .option("--export <file>", "write the ledger to a new file that `verify` checks")
      .option("--head <file>", "verify: a head that you kept, as a file or as NUMBER:HASH")
      .option("--key <file>", "verify: the public keys that sign the ledger, in PEM")
      .action(async (what, file, options) => {
        rejectMisplaced(what, file, options);
        await perform[what](options, file ?? "");
      }),
    ["keyturn audit", "the newest 20 entries"],
    ["keyturn audit --target orders-db --since 2026-11-01", "what happened to one target"],
    ["keyturn audit --export ledger.jsonl", "write the whole ledger to a file"],
    ["keyturn audit head --json > head.json", "keep the newest head, outside of Azure Storage"],
    [
      "keyturn audit verify ledger.jsonl --head head.json --key ledger-key.pem",
      "check a file that somebody gave you",
    ],
  );

type AuditOptions = ReturnType<ReturnType<typeof makeAudit>["opts"]>;

/** The code of each is loaded when it is used. */
const perform: Readonly<
  Record<(typeof whats)[number], (options: AuditOptions, file: string) => Promise<void>>
> = {
  async list(options) {
    if (options.export === undefined) {
      const { listEntries } = await import("./audit-list.ts");
      await listEntries(connect(options), options);
    } else {
      const { exportLedger } = await import("./audit-export.ts");
      await exportLedger(connect(options), options.export, options);
    }
  },
  async head(options) {
    const found = await connect(options).call("api-audit-head", {});
    answer(options, found, ({ head, signature }) =>
      formatRecord([
        ["Segment", String(head.segment)],
        ["Last entry", String(head.sequence)],
        ["Hash", head.hash],
        ["Sealed", longTime(head.at, Date.now())],
        ["Signed with", signature?.key ?? "no key"],
        ["For --head", `${head.sequence}:${head.hash}`],
      ]),
    );
  },
  async verify(options, file) {
    const { verifyFile } = await import("./audit-verify.ts");
    await verifyFile(file, options);
  },
};

const ofList = ["target", "rotation", "by", "action", "outcome", "ticket", "all"] as const;

/** An option that has no effect would mislead an auditor. */
function rejectMisplaced(
  what: (typeof whats)[number],
  file: string | undefined,
  options: AuditOptions,
): void {
  if (what === "verify" && file === undefined) {
    throw usageFailure("Name the file to verify: keyturn audit verify ledger.jsonl.");
  }
  if (what !== "verify" && file !== undefined) {
    throw usageFailure(`\`audit ${what}\` takes no file.`);
  }
  const isExport = options.export !== undefined;
  const misplaced = [
    ...(what === "verify" ? [] : (["head", "key"] as const)),
    ...(what === "list" ? [] : (["export", "since", "until"] as const)),
    ...(what === "list" && !isExport ? [] : ofList),
  ].find((name) => options[name] !== undefined);
  if (misplaced === undefined) return;
  const where =
    isExport && what === "list" ? "an export, which contains every entry" : `\`audit ${what}\``;
  throw usageFailure(`--${misplaced} has no effect on ${where}. Leave it out.`);
}
