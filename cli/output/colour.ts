import { styleText } from "node:util";

type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** Colours a text of the answer. Plain when standard output is not a terminal, or NO_COLOR is set; FORCE_COLOR overrides both. */
export function colour(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Colours a text of standard error, under the same conditions. */
export function colourNote(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

const styles: Readonly<Record<string, Style>> = {
  ...{ healthy: "green", done: "green", up: "green" },
  ...{ failing: "red", failed: "red", blocked: "red", unreadable: "red", down: "red" },
  ...{ "in force": "yellow", planned: "cyan" },
  ...{ rotated: "green", ended: "green", begun: "cyan", preview: "cyan" },
  ...{ unfinished: "red", left: "yellow", paused: "yellow", stopping: "yellow", expired: "dim" },
  ...{ cancelled: "dim" },
  ...{ queued: "yellow", new: "cyan", running: "cyan" },
};

/** Colours a state, such as `healthy`, by its meaning. */
export function colourState(state: string): string {
  const style = styles[state.trim()];
  return style === undefined ? state : colour(style, state);
}
