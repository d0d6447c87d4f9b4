import type { Document, ErrorCode, YAMLError } from "yaml";

/** A syntax error of a YAML text, and its offset. */
export interface SyntaxProblem {
  readonly offset: number;
  readonly message: string;
}

const wordings: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: "is indented with a tab; YAML allows only spaces",
  MULTIPLE_DOCS: "contains several documents (---); put each into its own file",
  BLOCK_AS_IMPLICIT_KEY:
    "has a second colon on one line; put text that contains a colon and a space in quotes",
};

/** Errors that are always reported. Other errors may only be consequences of the first one. */
const selfContained: readonly ErrorCode[] = [
  "TAB_AS_INDENT",
  "MULTIPLE_DOCS",
  "TAG_RESOLVE_FAILED",
  "BAD_DIRECTIVE",
];

/** Finds the syntax errors of a text, at most one for each offset, with the likely mistake and its fix. */
export function findSyntaxProblems(text: string, { errors, warnings }: Document): SyntaxProblem[] {
  const all: readonly YAMLError[] = [...errors, ...warnings];
  // If the call stack of the parser overflows, its other errors are only consequences.
  const tooDeep = all.find(({ message }) => /call stack/i.test(message));
  if (tooDeep) return [{ offset: tooDeep.pos[0], message: "is nested too deeply" }];
  const found = new Map<number, SyntaxProblem>();
  let isFirst = true;
  for (const error of all) {
    const known = recogniseMistake(text, error);
    if (known) found.set(known.offset, known);
    else if (isFirst || selfContained.includes(error.code)) {
      found.set(error.pos[0], {
        offset: error.pos[0],
        message: wordings[error.code] ?? lowerFirst(error.message),
      });
    }
    isFirst = false;
  }
  return [...found.values()];
}

type Recogniser = (line: Line, text: string, error: YAMLError) => SyntaxProblem | undefined;

interface Line {
  readonly start: number;
  readonly text: string;
}

/** The first recogniser that finds a mistake decides the message. */
const recognisers: readonly Recogniser[] = [variable, asterisk, missingSpace, findUnclosed];

function recogniseMistake(text: string, error: YAMLError): SyntaxProblem | undefined {
  const line = lineAt(text, error.pos[0]);
  for (const recognise of recognisers) {
    const problem = recognise(line, text, error);
    if (problem) return problem;
  }
  return undefined;
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  return { start, text: text.slice(start, end < 0 ? undefined : end).slice(0, 500) };
}

export const variableMessage =
  "Keyturn does not replace variables such as ${NAME}; write the value itself";

/** The placeholders of common deployment tools. */
const variables = /\$\{[A-Za-z_][\w.:-]*\}|\$\([A-Za-z_][\w.]*\)|#\{[^{}]*\}#|\{\{[^{}]*\}\}/;

/** Whether a text contains a variable that the writer may expect to be replaced. */
export function holdsVariable(text: string): boolean {
  const isWhole = /^(?:%[A-Za-z_]\w*%|\$[A-Z_][A-Z0-9_]*)$/.test(text);
  return text.length < 1_000 && (variables.test(text) || isWhole);
}

function variable({ start, text }: Line): SyntaxProblem | undefined {
  const found = variables.exec(text) ?? /(?<=[:[,-]\s*)%[A-Za-z_]\w*%/.exec(text);
  return found ? { offset: start + found.index, message: variableMessage } : undefined;
}

/** In YAML, an asterisk with a name is an alias. Cron expressions and patterns also begin with an asterisk, so they need quotes. */
function asterisk({ start, text }: Line): SyntaxProblem | undefined {
  const found = /(?:^|[\s[{,])((?:([\w-]+):\s+)|-\s+|[[,]\s*)(\*(?![\w])[^,\]}#]*)/.exec(text);
  if (!found) return undefined;
  const [whole, before = "", key, value = ""] = found;
  const written = value.trim();
  const example = key === undefined ? `"${written}"` : `${key}: "${written}"`;
  const isCron = /^[\d*/,\- ]{1,60}$/.test(written);
  const message = isCron
    ? `text that begins with * must be in quotes; write ${example}`
    : "text that begins with * must be in quotes";
  const offset = start + found.index + whole.indexOf(before) + before.length;
  return { offset, message };
}

const lostColons: readonly ErrorCode[] = [
  "MULTILINE_IMPLICIT_KEY",
  "MISSING_CHAR",
  "BLOCK_AS_IMPLICIT_KEY",
];

function missingSpace(line: Line, whole: string, error: YAMLError) {
  if (!lostColons.includes(error.code) && error.code !== "BAD_INDENT") return undefined;
  // After a key without a space, the parser reads on, and reports the error some lines below.
  const isBelow = error.code === "BAD_INDENT";
  for (const { start, text } of isBelow ? linesUpTo(line, whole) : [line]) {
    const key = findKeyWithoutSpace(text.trim());
    if (key !== undefined) {
      return { offset: start + text.indexOf(key), message: describeMissingSpace(key) };
    }
  }
  return undefined;
}

const linesAbove = 12;

/** Returns the line and the lines above it, nearest first. */
function linesUpTo(line: Line, whole: string): Line[] {
  const lines = [line];
  for (let next = line; next.start > 0 && lines.length <= linesAbove;) {
    next = lineAt(whole, next.start - 1);
    lines.push(next);
  }
  return lines;
}

/** Returns the key of a text such as `every:90d`, or undefined for any other text. */
export function findKeyWithoutSpace(text: string): string | undefined {
  return /^(?:-\s+)?([A-Za-z][\w-]{0,62}):(?!\/\/)\S/.exec(text)?.[1];
}

export function describeMissingSpace(key: string): string {
  return `needs a space after the colon: "${key}: …"`;
}

/** Finds the brace or bracket that is not closed. The parser reports this error far below it. */
function findUnclosed(
  _: Line,
  text: string,
  { message, pos }: YAMLError,
): SyntaxProblem | undefined {
  if (!/flow (map|sequence)|flow collection/i.test(message)) return undefined;
  const open: { readonly offset: number; readonly by: string }[] = [];
  for (const { 0: part, index } of text.slice(0, pos[1]).matchAll(parts)) {
    if (part === "{" || part === "[") open.push({ offset: index, by: part });
    else if (part === "}" || part === "]") open.pop();
  }
  const last = open.at(-1);
  if (!last) return undefined;
  const closing = last.by === "{" ? "}" : "]";
  return { offset: last.offset, message: `this ${last.by} is not closed; add a ${closing}` };
}

/** Matches quoted texts, comments, braces and brackets. */
const parts = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<=^|\s)#[^\n]*|[{}[\]]/gm;

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
