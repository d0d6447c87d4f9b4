import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { connectionGroup, examplesOf } from "../cli/command.ts";
import { exitCodes, meanings } from "../cli/exit-codes.ts";
import { makeProgram } from "../cli/program.ts";

/** Replaces the generated parts of docs/reference/command-line.md. Throws when a mark is missing. */
export function withCommandTree(page: string): string {
  const program = makeProgram();
  const visible = program.createHelp().visibleCommands(program);
  const commands = visible.filter((command) => command.name() !== "help");
  const [connected] = commands.filter(isOnline);
  if (!connected) throw new Error("No command contacts an app.");
  const parts: Readonly<Record<string, string>> = {
    "exit-codes": describeExitCodes(),
    connection: describeOptions(connected.options.filter(isConnection)),
    commands: commands.map(describeCommand).join("\n\n"),
  };
  return Object.entries(parts).reduce((text, [name, part]) => replacePart(text, name, part), page);
}

function replacePart(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no marks for ${name}.`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}

const isConnection = (option: Option): boolean => option.helpGroupHeading === connectionGroup;
const isOnline = (command: CommandUnknownOpts): boolean => command.options.some(isConnection);

function describeExitCodes(): string {
  const rows = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${meanings[name as keyof typeof meanings]} |`,
  );
  return ["| Code | Meaning |", "|---|---|", ...rows].join("\n");
}

function describeCommand(command: CommandUnknownOpts): string {
  const examples = examplesOf(command).flatMap(({ line, purpose }) => [`# ${purpose}`, line]);
  const own = command.options.filter((option) => !isConnection(option));
  const parts = [
    `### ${command.name()}`,
    toSentence(command.description()),
    ["```text", `keyturn ${command.name()} ${command.usage()}`, "```"].join("\n"),
    describeArguments(command),
    describeOptions(own),
    isOnline(command) ? "It also has the options of [the connection](#connection)." : "",
    ["```text", ...examples, "```"].join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function describeArguments({ registeredArguments }: CommandUnknownOpts): string {
  if (registeredArguments.length === 0) return "";
  const rows = registeredArguments.map((argument) => {
    const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
    return `| \`${name}\` | ${argument.description}${describeChoices(argument.argChoices)} |`;
  });
  return ["| Argument | Meaning |", "|---|---|", ...rows].join("\n");
}

function describeOptions(options: readonly Option[]): string {
  if (options.length === 0) return "";
  const rows = options.map((option) => `| \`${option.flags}\` | ${describeOption(option)} |`);
  return ["| Option | Meaning |", "|---|---|", ...rows].join("\n");
}

function describeOption({ description, argChoices, defaultValue, mandatory }: Option): string {
  const usual: unknown = defaultValue;
  const ending =
    usual === undefined ? "" : ` (default: ${JSON.stringify(usual).replaceAll('"', "")})`;
  return `${description}${describeChoices(argChoices)}${ending}${mandatory ? "; required" : ""}`;
}

const describeChoices = (choices: readonly string[] | undefined): string =>
  choices ? `: ${choices.map((choice) => `\`${choice}\``).join(", ")}` : "";

const toSentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
