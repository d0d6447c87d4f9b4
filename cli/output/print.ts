import { toPrintableLines } from "../../shared/app.ts";

/** Writes lines of the answer to standard output. */
export function printText(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes one JSON document to standard output. */
export function printJson(value: unknown): void {
  const lines = JSON.stringify(value, null, 2).split("\n");
  printText(lines.map(escapeJson).join("\n"));
}

/** Writes one line of JSON Lines to standard output. */
export function printJsonLine(value: unknown): void {
  printText(escapeJson(JSON.stringify(value)));
}

/** Writes a note for a person to standard error, because standard output contains only the answer. */
export function printNote(text: string): void {
  process.stderr.write(`${toPrintableLines(text)}\n`);
}

/** Escapes what a terminal would act on. The JSON keeps its meaning, because such characters occur only in strings. */
export function escapeJson(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => escapeUnit(found.charCodeAt(at))).join(""),
  );
}

const escapeUnit = (unit: number): string => `\\u${unit.toString(16).padStart(4, "0")}`;
