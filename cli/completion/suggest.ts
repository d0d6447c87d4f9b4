import type { CommandUnknownOpts } from "@commander-js/extra-typings";

export interface Suggestion {
  readonly value: string;
  readonly description: string;
}

/** In place of a list: the shell completes names of files. */
export const files: Suggestion = { value: ":files", description: "" };

/** Finds the values of arguments whose name is the key, such as `target` for `<target>` and `[targets...]`. */
export type Finders = Readonly<Record<string, Finder>>;

/** `before`: the arguments of the command that are written already. */
type Finder = (
  words: readonly string[],
  before: readonly string[],
) => Promise<readonly Suggestion[]>;

/** Suggests what may be at the place of the last word, which is empty at the start of a new one. */
export async function suggest(
  program: CommandUnknownOpts,
  written: readonly string[],
  finders: Finders,
): Promise<readonly Suggestion[]> {
  // bash makes a word of its own of the = in --health=failing.
  const words = written.filter((word) => word !== "=");
  const current = written.at(-1) === "=" ? "" : (words.pop() ?? "");
  const command = program.commands.find((one) => one.name() === words[0]);
  const found = command
    ? await suggestInside(command, { words, current }, finders)
    : suggestCommands(program, words);
  const isPath = found.length === 1 && found[0] === files;
  return isPath ? found : found.filter(({ value }) => value.startsWith(current));
}

function suggestCommands(program: CommandUnknownOpts, words: readonly string[]): Suggestion[] {
  const isName = words.length === 0 || (words.length === 1 && words[0] === "help");
  if (!isName) return [];
  const visible = program.createHelp().visibleCommands(program);
  return visible.map((one) => ({ value: one.name(), description: one.description() }));
}

interface Typed {
  readonly words: readonly string[];
  readonly current: string;
}

async function suggestInside(
  command: CommandUnknownOpts,
  { words, current }: Typed,
  finders: Finders,
): Promise<readonly Suggestion[]> {
  const before = words.at(-1) ?? "";
  const pending = command.options.find((option) => option.required && option.long === before);
  if (pending) return suggestValues(pending.flags, pending.argChoices);
  if (current.startsWith("-")) return suggestOptions(command, words);
  const last = command.registeredArguments.at(-1);
  const written = listArguments(command, words);
  const argument =
    command.registeredArguments[written.length] ?? (last?.variadic ? last : undefined);
  if (!argument) return [];
  if (argument.name() === "file") return [files];
  const find = finders[argument.name().replace(/s$/, "")];
  return find ? find(words, written) : toSuggestions(argument.argChoices ?? []);
}

function suggestValues(flags: string, choices: readonly string[] | undefined) {
  return flags.includes("<file>") ? [files] : toSuggestions(choices ?? []);
}

function suggestOptions(command: CommandUnknownOpts, words: readonly string[]): Suggestion[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible
    .filter((option) => option.long !== undefined && !words.includes(option.long))
    .map(({ long = "", description }) => ({ value: long, description }));
}

/** The arguments of the command that are written already. */
function listArguments(command: CommandUnknownOpts, words: readonly string[]): readonly string[] {
  const [, ...rest] = words;
  const isValue = (at: number): boolean => {
    const before = rest[at - 1] ?? "";
    return command.options.some((option) => option.required && option.long === before);
  };
  return rest.filter((word, at) => !word.startsWith("-") && !isValue(at));
}

const toSuggestions = (values: readonly string[]): Suggestion[] =>
  values.map((value) => ({ value, description: "" }));
