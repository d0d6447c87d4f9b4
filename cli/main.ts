/** Keyturn on the command line: `npm run keyturn -- plan`. */
import { explained, planConfig, printableLines } from "../shared/app.ts";
import { readArguments, usage, UsageError } from "./arguments.ts";

async function main(args: readonly string[]): Promise<void> {
  const question = readArguments(args, process.env);
  if (!question) {
    console.log(usage);
    return;
  }
  const { text, warnings } = await planConfig(question, process.cwd());
  // The plan alone goes to where it may be read by a program.
  for (const warning of warnings) console.error(printableLines(`warning: ${warning}`));
  process.stdout.write(text);
}

// Whoever reads the plan may have seen enough of it, such as `head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  const told = error instanceof UsageError ? `${error.message}\n\n${usage}` : explained(error);
  if (told === undefined) throw error;
  console.error(printableLines(told));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
