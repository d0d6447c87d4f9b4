/** The command line of Keyturn: `npx keyturn`, or `npm run keyturn --`. */
import { CommanderError } from "@commander-js/extra-typings";
import { toPrintableLines, toUserMessage } from "../shared/app.ts";
import { exitCodes, Failure } from "./exit-codes.ts";
import { colourNote } from "./output/colour.ts";
import { clearProgress } from "./output/progress.ts";
import { makeProgram } from "./program.ts";
import { explainUsage } from "./usage.ts";

process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  // The reader of an answer, such as `head`, may close the pipe early.
  if (code !== "EPIPE") {
    const message = `The answer cannot be written (${code ?? "no reason is known"}). Make room on the disk, or write it to another place. What the command requested of the app stays in force.`;
    fail(message, exitCodes.failed);
  }
  process.exit();
});

// Nobody reads the notes, which is no reason to stop.
process.stderr.on("error", () => undefined);

function fail(message: string, exitCode: number): void {
  clearProgress();
  const [first = "", ...rest] = toPrintableLines(message).split("\n");
  console.error([colourNote("red", first), ...rest].join("\n"));
  process.exitCode = exitCode;
}

const program = makeProgram();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof Failure) fail(error.message, error.exitCode);
  else if (error instanceof CommanderError) {
    // Help is printed already: it was requested, or no command is given.
    if (error.code === "commander.help") process.exitCode = exitCodes.usage;
    else if (error.exitCode !== 0) {
      const command = program.commands.find((one) => one.name() === process.argv[2]);
      fail(explainUsage(error.message, command?.name()), exitCodes.usage);
    }
  } else {
    const message = toUserMessage(error);
    if (message === undefined) throw error;
    fail(message, exitCodes.failed);
  }
}
