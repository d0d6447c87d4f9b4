import { makeProgram } from "../../cli/program.ts";
import { toQuestion } from "../../cli/verbs/plan.ts";

/** A command line as the program understands it. */
export interface Parsed {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

class Stop extends Error {}

/** Parses a command line and runs nothing. Rejects for a wrong one. */
export async function parseArguments(args: readonly string[]): Promise<Parsed> {
  const program = makeProgram();
  let parsed: Parsed | undefined;
  program.hook("preAction", (_, action) => {
    parsed = { command: action.name(), args: action.args, options: action.opts() };
    throw new Stop();
  });
  await program.parseAsync(args, { from: "user" }).catch((error: unknown) => {
    if (!(error instanceof Stop)) throw error;
  });
  if (!parsed) throw new Error("No command ran.");
  return parsed;
}

/** The question of `keyturn plan` with these arguments. Rejects for wrong ones. */
export async function parsePlan(args: readonly string[]): Promise<ReturnType<typeof toQuestion>> {
  const { command, options } = await parseArguments(["plan", ...args]);
  if (command !== "plan") throw new Error(`Parsed ${command} instead of plan.`);
  return toQuestion(options);
}
