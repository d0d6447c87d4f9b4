import type { EnvironmentFile } from "../environment/environment-file.ts";
import type { Paint } from "./lines.ts";
import { wrapCommand, wrapText, wrapWords } from "./text.ts";
import type { ShownTarget } from "./watched.ts";

interface Look {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
}

export interface Header {
  readonly places: EnvironmentFile;
  /** Path of environment.json. */
  readonly file: string;
  readonly targets: readonly ShownTarget[];
  readonly watched: readonly ShownTarget[];
}

const labelWidth = 17;
const indent = labelWidth + 2;

/** Formats the addresses of all services, and the targets. */
export function formatHeader({ places, file, targets, watched }: Header, look: Look): string {
  const { functions, keyVault, databases, events, logs } = places;
  const [database] = databases;
  const server = database ? `${database.host}:${database.port}` : "";
  const rows = [
    ["Functions app", functions.url, `log: ${logs.functions}`],
    ["Key Vault", keyVault.url, "emulator (works with the official SDK)"],
    ["PostgreSQL", server, `real server; CA of its certificate: ${database?.caFile ?? ""}`],
    ["Events", events.endpoint, "events that Keyturn sends to Event Grid"],
    ["For tools", file, "all addresses, keys and log-ins"],
  ] as const;
  const { paint, width } = look;
  const whereWidth = Math.max(...rows.map(([, where]) => where.length));
  const aboutTarget = (target: ShownTarget) =>
    watched.includes(target)
      ? target.about
      : `${target.about}; the consumer skips it, because its secret is in ${target.publish.vaultUrl ?? ""}`;
  return [
    "",
    `${paint("bold", "Keyturn")} is running. Everything is on this machine.`,
    "",
    ...rows.flatMap(([label, where, about]) => {
      const start = `  ${label.padEnd(labelWidth)}${paint("cyan", where.padEnd(whereWidth))}`;
      const fits = indent + whereWidth + 2 + about.length <= width;
      if (fits) return [`${start}  ${paint("dim", about)}`];
      return [start.trimEnd(), ...below(about, width).map((line) => paint("dim", line))];
    }),
    "",
    "Targets:",
    ...targets.flatMap((target) => {
      const id = target.id.padEnd(labelWidth);
      const [first = "", ...rest] = wrapWords(aboutTarget(target), width - id.length - 2);
      return [`  ${paint("bold", id)}${first}`, ...rest.flatMap((line) => below(line, width))];
    }),
    "",
  ].join("\n");
}

/** Wraps a text into lines that start at the second column. */
function below(text: string, width: number): string[] {
  return wrapWords(text, width - indent).map((line) => " ".repeat(indent) + line);
}

/** Lists commands to paste into another terminal; the first one sets the address and the key. */
export function listSuggestions({ places, targets }: Header, { paint, width }: Look): string {
  const { url, key } = places.functions;
  const withKey = ["-H", '"x-functions-key: $KEY"'].join(" ");
  const one = targets[0]?.id ?? "TARGET";
  const tries = [
    [`rotate ${one} now`, ["curl -sX POST", withKey, `$KEYTURN/api/targets/${one}/rotations`]],
    [
      "follow the rotation",
      ["curl -s", withKey, `"$KEYTURN/api/targets/${one}/rotations?limit=1"`],
    ],
    ["list every target", ["curl -s", withKey, "$KEYTURN/api/targets"]],
  ] as const;
  const indented = (text: string) => text.replaceAll(/^/gm, "  ");
  return [
    "Try in another terminal:",
    indented(wrapCommand([`export KEYTURN=${url}`, `KEY=${key}`], width - 2)),
    ...tries.flatMap(([what, words]) => [
      `  ${paint("dim", `# ${what}`)}`,
      indented(wrapCommand(words, width - 2)),
    ]),
    "",
    wrapText("Ctrl-C stops everything. The next start continues where this one stopped.", width),
    "",
  ].join("\n");
}
