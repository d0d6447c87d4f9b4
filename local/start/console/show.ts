import { styleText } from "node:util";
import { toPrintableLines } from "../../../shared/app.ts";
import type { Environment } from "../../environment.ts";
import type { KeyturnEvent } from "../environment/functions-host.ts";
import { makeApi } from "./api.ts";
import { formatLine, formatSummary, type Paint } from "./lines.ts";
import { readStanding } from "./standing.ts";
import { measureTerminal, wrapText } from "./text.ts";

/** Honours NO_COLOR and FORCE_COLOR, and adds no colours when the output is not a terminal. */
const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

/** Milliseconds between two summaries of the consumer's counts. */
const summaryIntervalMs = 30_000;

/** Characters. */
const labelWidth = 17;

/** After these events the line also says when the next rotation is due. */
const endings = ["adopted", "succeeded", "failed"];

/** Makes the console output for these targets. Everything is printed in the order of the calls. */
export function createShow(targets: readonly { readonly id: string; readonly type: string }[]) {
  const targetWidth = Math.max(0, ...targets.map(({ id }) => id.length));
  const types = new Map(targets.map(({ id, type }) => [id, type]));
  let last: Promise<void> = Promise.resolve();
  let env: Environment | undefined;
  let timer: NodeJS.Timeout | undefined;
  const inTurn = (task: () => Promise<void> | void): void => {
    last = last.then(task).catch(() => undefined);
  };
  const show = {
    print(text: string): void {
      inTurn(() => {
        print(text);
      });
    },
    note(text: string): void {
      show.print(paint("yellow", toPrintableLines(text)));
    },
    event(event: KeyturnEvent): void {
      inTurn(async () => {
        const api =
          env && endings.includes(event.type) ? makeApi(env.places().functions) : undefined;
        const standing = api && (await readStanding(api, event));
        const type = types.get(event.targetId ?? "");
        const line = formatLine(event, { paint, targetWidth, type, width: readWidth(), standing });
        if (line !== undefined) print(line);
      });
    },
    header(started: Environment): void {
      env = started;
      show.print(formatHeader(started));
    },
    /** Suggests commands to try, and from now on prints the consumer's counts at intervals. */
    goOn(started: Environment): void {
      inTurn(() => {
        // Not wrapped, so that the commands can be pasted.
        process.stdout.write(`${formatSuggestions(started)}\n`);
      });
      timer = setInterval(() => {
        show.summary(started);
      }, summaryIntervalMs);
    },
    summary(running: Environment): void {
      for (const line of formatSummary(running.counts(), running.targets)) {
        show.print(paint("dim", `consumer  ${line}`));
      }
    },
    /** Stops the summaries. Resolves when everything so far is printed. */
    async finish(): Promise<void> {
      clearInterval(timer);
      await last;
    },
  };
  const parts =
    "starting PostgreSQL, Azurite, the Key Vault emulator, doubles of Azure and the Functions app …";
  print(paint("dim", parts));
  return show;
}

export type Show = ReturnType<typeof createShow>;

/** Returns the current width: a person may resize the terminal. */
const readWidth = (): number => measureTerminal(process.stdout);

function print(text: string): void {
  process.stdout.write(`${wrapText(text, readWidth())}\n`);
}

/** Formats the addresses of all services, and the targets. */
function formatHeader(env: Environment): string {
  const { functions, keyVault, databases, events, azure, logs } = env.places();
  const [database] = databases;
  const server = database ? `${database.host}:${database.port}` : "";
  const services = [
    ["Functions app", functions.url, `log: ${logs.functions}`],
    ["Key Vault", keyVault.url, "emulator (works with the official SDK)"],
    ["PostgreSQL", server, `real server; CA of its certificate: ${database?.caFile ?? ""}`],
    ["Events", events.endpoint, "events that Keyturn sends to Event Grid"],
    ["Azure OpenAI", azure.openAi, "double of Azure: checks keys and has no models"],
    ["Resource Manager", azure.resourceManager, "double of Azure: regenerates the keys"],
    ["Microsoft Graph", azure.graph, "double of Azure: adds and removes client secrets"],
    ["Entra log-ins", azure.logIn, "double of Azure: checks client secrets"],
    ["For tools", env.file, "all addresses, keys and log-ins"],
  ] as const;
  const whereWidth = Math.max(...services.map(([, where]) => where.length));
  const aboutWidth = Math.max(...services.map(([, , about]) => about.length));
  const indent = labelWidth + 2;
  const fits = indent + whereWidth + 2 + aboutWidth <= readWidth();
  return [
    "",
    `${paint("bold", "Keyturn")} is running. Everything is on this machine.`,
    "",
    ...services.map(([label, where, about]) => {
      const start = `  ${label.padEnd(labelWidth)}${paint("cyan", where)}`;
      const gap = fits ? " ".repeat(whereWidth - where.length + 2) : `\n${" ".repeat(indent)}`;
      return wrapText(`${start}${gap}${paint("dim", about)}`, readWidth(), 0);
    }),
    "",
    "Targets:",
    ...env.targets.map((target) => {
      const elsewhere = `; the consumer skips it, because its secret is in ${target.publish.vaultUrl}`;
      const about = target.about + (env.watched.includes(target) ? "" : elsewhere);
      const line = `  ${paint("bold", target.id.padEnd(labelWidth))}${about}`;
      return wrapText(line, readWidth(), labelWidth);
    }),
    "",
  ].join("\n");
}

/**
 * Lists commands to paste into another terminal; the first one sets the address and the key. They are not wrapped, because a
 * shell would run each line of a command.
 */
function formatSuggestions(env: Environment): string {
  const { url, key } = env.places().functions;
  const one = env.targets[0]?.id ?? "TARGET";
  const withKey = '-H "x-functions-key: $KEY"';
  return [
    "Try in another terminal:",
    `  export KEYTURN=${url} KEY=${key}`,
    `  ${paint("dim", `# rotate ${one} now`)}`,
    `  curl -sX POST ${withKey} $KEYTURN/api/targets/${one}/rotations`,
    `  ${paint("dim", "# follow the rotation")}`,
    `  curl -s ${withKey} "$KEYTURN/api/targets/${one}/rotations?limit=1"`,
    `  ${paint("dim", "# list every target")}`,
    `  curl -s ${withKey} $KEYTURN/api/targets`,
    `  ${paint("dim", "# or with the command line, which finds the app by itself")}`,
    `  npx keyturn rotate ${one} --follow`,
    "",
    "Ctrl-C stops everything. The next start continues where this one stopped.",
    "",
  ].join("\n");
}
