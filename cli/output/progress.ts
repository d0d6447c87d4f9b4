import { toPrintable } from "../../shared/app.ts";
import { cut, measureWidth } from "./width.ts";

/** What a terminal does with the line of the cursor. */
const clearLine = "\r\u001b[K";

let isShown = false;

/** Shows a line of progress on standard error, in place of the one before. Shows nothing without a terminal. */
export function showProgress(line: string): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(clearLine + cut(toPrintable(line), measureWidth(process.stderr) - 1));
  isShown = true;
}

/** Removes the line of progress before other output. */
export function clearProgress(): void {
  if (!isShown) return;
  process.stderr.write(clearLine);
  isShown = false;
}

/** Milliseconds after which a person wants to know what takes so long. */
const patienceMs = 1_000;

/** Shows the line if the work takes more than a second, and removes it when the work ends. */
export async function whileWaiting<Value>(line: string, work: Promise<Value>): Promise<Value> {
  if (isShown) return work;
  const timer = setTimeout(() => {
    showProgress(line);
  }, patienceMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    clearProgress();
  }
}
