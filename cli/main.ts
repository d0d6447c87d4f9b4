/** The command line of Keyturn: `npm run keyturn -- plan` and `npm run keyturn -- check`. */
import { checkConfig, planConfig, toPrintableLines, toUserMessage } from "../shared/app.ts";
import { readArguments, readCheckArguments, readCommand, usage, UsageError } from "./arguments.ts";

async function main(args: readonly string[]): Promise<void> {
  if (readCommand(args) === "check") return check(readCheckArguments(args));
  const question = readArguments(args, process.env);
  if (!question) {
    console.log(usage);
    return;
  }
  const { text, warnings } = await planConfig(question, process.cwd());
  printWarnings(warnings);
  process.stdout.write(text);
}

async function check(path: string): Promise<void> {
  const { targets, vaults, consumers, notifiers, warnings } = await checkConfig(
    path,
    process.cwd(),
  );
  printWarnings(warnings);
  const counts = [
    counted(targets.length, "target"),
    counted(vaults, "vault"),
    counted(consumers, "consumer"),
    counted(notifiers, "notifier"),
    counted(warnings.length, "warning"),
  ];
  console.log(`${path} is valid: ${counts.join(", ")}.`);
}

/** Prints warnings to stderr, so that stdout contains only the answer, which a program may read. */
function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(toPrintableLines(`warning: ${warning}`));
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;

// The reader of the plan, such as `head`, may close the pipe early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  const message =
    error instanceof UsageError ? `${error.message}\n\n${usage}` : toUserMessage(error);
  if (message === undefined) throw error;
  console.error(toPrintableLines(message));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
