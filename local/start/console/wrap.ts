import { stripVTControlCharacters } from "node:util";

/** Columns of a terminal that does not say how many it has, and of whatever is not a terminal. */
const usualWidth = 80;

export function terminalWidth({ columns }: { readonly columns?: number }): number {
  return columns === undefined || columns <= 0 ? usualWidth : columns;
}

/**
 * The lines of a text, broken between words so that none has more than `width` characters. A word is never broken: a
 * longer one, such as a path that somebody wants to copy, has a line of its own. Colours count for nothing.
 */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [, gap = "", word = ""] of text.matchAll(/(\s*)(\S+)/g)) {
    const longer = line + gap + word;
    if (line.trim() === "" || visibleLength(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** Wraps each line of a text that is laid out already. What follows is indented like its line, and by `hang` more. */
export function wrapText(text: string, width: number, hang = 2): string {
  return text
    .split("\n")
    .map((line) => {
      if (visibleLength(line) <= width) return line;
      const indent = /^ */.exec(line)?.[0].length ?? 0;
      const [first = "", ...rest] = wrapWords(line, width);
      if (rest.length === 0) return first;
      const further = wrapWords(rest.join(" "), width - indent - hang);
      return [first, ...further.map((it) => " ".repeat(indent + hang) + it)].join("\n");
    })
    .join("\n");
}

/** A command as several lines that a shell takes for one. Broken before options and addresses only. */
export function wrapCommand(words: readonly string[], width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length + 2 <= width) line = `${line} ${word}`;
    else {
      lines.push(line);
      line = `  ${word}`;
    }
  }
  return [...lines, line].join(" \\\n");
}

const visibleLength = (text: string): number => stripVTControlCharacters(text).length;
