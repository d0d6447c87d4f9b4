const maxWidth = 140;

/** Where the page says what the schemas, which have no links, can only name. */
const links: readonly (readonly [phrase: string, address: string])[] = [
  ["reference of errors", "errors.md"],
  ["reference of events", "events.md#alarms"],
  ["for as long as the history is kept", "configuration.md#how-long-is-the-history-kept"],
  ["explanation of exposures", "../explanation/lifecycle.md#exposures"],
  ["A target is `unreadable`", "../runbook.md#a-target-is-unreadable"],
  ["Storage is down", "../runbook.md#storage-is-down"],
];

/** Makes links of the phrases that name another page. */
export function withLinks(page: string): string {
  return links.reduce(
    (text, [phrase, address]) => text.replaceAll(phrase, `[${phrase}](${address})`),
    page,
  );
}

/** Writes a table in the style of the other pages. */
export function writeTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const write = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [write(titles), `|${"---|".repeat(titles.length)}`, ...rows.map(write)]
    .map((line) => line.replaceAll("|  |", "| |"))
    .join("\n");
}

/** Breaks a paragraph into lines that the other pages could have. */
export function wrap(paragraph: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > maxWidth) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
