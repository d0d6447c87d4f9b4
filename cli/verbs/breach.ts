import type { ApiAnswer } from "../api/endpoints.ts";
import { formatBreach, previewColumns } from "../breach/breach-record.ts";
import { requireSense, runBreach } from "../breach/run-breach.ts";
import { keyOf, online, ticketMeaning, toDuration, withExamples } from "../command.ts";
import type { ConnectionOptions } from "../connection/connection.ts";
import { exitCodes, usageFailure } from "../exit-codes.ts";
import { askPerson, canAsk } from "../input/ask-person.ts";
import { toCommandText } from "../output/command-text.ts";
import { printJson, printNote, printText } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { connect } from "../session.ts";

export const makeBreach = () =>
  withExamples(
    online("breach", "rotate many targets now, because somebody may have their passwords")
      .argument("[targets...]", "ids of targets")
      .requiredOption("--reason <text>", "why the passwords may be known")
      .option("--ticket <id>", ticketMeaning)
      .option("--tag <name:value...>", "only targets with this tag; may be repeated")
      .option("--owner <name>", "only targets whose tag `owner` has this value")
      .option("--host <host>", "only targets on this host, or at this host:port")
      .option("--vault <name>", "only targets that publish into this vault")
      .option("--type <type>", "only targets of this type, such as postgresql")
      .option("--policy <name>", "only targets under this policy")
      .option(
        "--exposed-by <name>",
        "only targets whose password this identity was reported to see",
      )
      .option("--give-up-after <time>", "how long to wait for each rotation (default: 15m)")
      .option("--force", "rotate targets that are paused, too")
      .option("--lift-freezes", "rotate targets in any freeze, too")
      .option("--preview", "show what it would do, and start nothing")
      .option("--yes", "start without a question")
      .option("--detach", "do not wait for the end")
      .option("--timeout <time>", "how long to wait for the end", toDuration)
      .action(async (targets, options) => {
        requireSense(options);
        const { reason, ticket, giveUpAfter, tag, owner, host, vault, type, policy } = options;
        const conditions = { owner, host, vault, type, policy, exposedBy: options.exposedBy };
        const isFiltered = [tag, ...Object.values(conditions)].some((one) => one !== undefined);
        if (targets.length > 0 === isFiltered) {
          throw usageFailure("Name targets, or give conditions such as --host, but not both.");
        }
        requireAnswer(options);
        const preview = await connect(options).call("api-breach-preview", {
          body: {
            ...{ reason, ticket, giveUpAfter, ...conditions, tags: tag },
            targets: targets.length > 0 ? targets : undefined,
          },
          idempotencyKey: keyOf({}),
        });
        const { id } = preview.breach;
        if (!options.json) printPreview(preview, options);
        else if (options.preview) printJson(preview);
        const { force, liftFreezes } = options;
        const confirm = { force, "lift-freezes": liftFreezes, reason, ticket };
        const notStarted = `Nothing was started. Start it: ${toCommandText(["confirm-breach", id], options, confirm)}`;
        if (options.yes || (!options.preview && (await isConfirmed(preview, notStarted))))
          await runBreach(id, options);
        else printNote(notStarted);
      }),
    ['keyturn breach --host db1.example.com --reason "host compromised"', "preview, ask, and run"],
    ['keyturn breach --tag env:production --owner ada --reason "laptop stolen"', "by two tags"],
    [
      'keyturn breach --exposed-by eve --reason "employee left" --ticket INC0007',
      "all that eve saw",
    ],
    ['keyturn breach --vault main --reason "leak" --preview', "only see what it would do"],
    ['keyturn breach orders-db mails --reason "leak" --yes --json', "for scripts: no question"],
  );

function printPreview(
  { breach, targets }: ApiAnswer<"api-breach-preview">,
  options: ConnectionOptions,
): void {
  printText(formatBreach(breach, Date.now()));
  printText(`\n${formatTable(targets, previewColumns)}`);
  const others = breach.summary.targets - targets.length;
  const report = toCommandText(["breach-report", breach.id], options);
  if (others > 0) printNote(`and ${others} more: ${report}`);
}

/** Throws Failure when nobody can answer the question, and no option does. */
function requireAnswer({ json, preview, yes }: Answering): void {
  if (preview && yes) throw usageFailure("--preview cannot be combined with --yes.");
  if (preview || yes || (!json && canAsk())) return;
  const why = json ? "With --json" : "Without a terminal";
  throw usageFailure(
    `${why} nobody is asked. Add --yes to start the breach, or --preview to see what it would do.`,
  );
}

interface Answering {
  readonly json?: true | undefined;
  readonly preview?: true | undefined;
  readonly yes?: true | undefined;
}

/** Asks a person to type how many targets are rotated. */
async function isConfirmed(
  { breach }: ApiAnswer<"api-breach-preview">,
  ifLeft: string,
): Promise<boolean> {
  const { targets } = breach.summary;
  const text = `Type ${targets} to rotate ${targets} targets now: `;
  const typed = await askPerson({ text, ifLeft });
  if (typed.trim() === String(targets)) return true;
  process.exitCode = exitCodes.failed;
  return false;
}
