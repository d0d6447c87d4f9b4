import { parseLimit, planConfig, type PlanQuestion, toPrintableLines } from "../../shared/app.ts";
import { online, toMoment, withExamples } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { printJson, printNote } from "../output/print.ts";
import { connect } from "../session.ts";
import { readAppState } from "./app-state.ts";

export const makePlan = () =>
  withExamples(
    online("plan", "show every rotation to come, when and why, and what blocks it")
      .option("--ics", "print an iCalendar file, for calendar programs")
      .option("--from <time>", "a day or an instant such as 2026-12-20 (default: now)", toMoment)
      .option("--to <time>", "the same (default: 100 days after --from)", toMoment)
      .option("--targets <glob>", 'only targets whose id matches, such as "orders-*"')
      .option(
        "--per-server <limit>",
        "limit of rotations on one server; the plan reports when it is exceeded (default: 10/10s)",
      )
      .option(
        "--per-vault <limit>",
        "limit of new versions of secrets in one vault (default: 300/10s, which Key Vault documents)",
      )
      .option(
        "--config <file>",
        "plan this file or folder of a configuration instead of the app's. Without --app, no app is contacted, and each secret counts as adopted now",
      )
      .option(
        "--against <file>",
        "an edited configuration, with --config: show what the edit changes, target by target; today is the 24 hours from --from on",
      )
      .action(async (options) => {
        const { config, ...question } = toQuestion(options);
        if (config === undefined) await printPlanOfApp(options, question.format);
        else await printPlanOfFiles(options, { ...question, config });
      }),
    ["keyturn plan", "the next 100 days of the local app"],
    ["keyturn plan --config keyturn.yaml", "of a configuration, without an app"],
    ["keyturn plan --config keyturn.yaml --against edited.yaml", "what an edit changes"],
  );

type Options = ReturnType<ReturnType<typeof makePlan>["opts"]>;
type Format = PlanQuestion["format"];

/** The app prints its own plan, which knows everything that the app does. */
async function printPlanOfApp(options: Options, format: Format): Promise<void> {
  const { from, to, targets, perServer, perVault } = options;
  const query = { from, to, targets, "per-server": perServer, "per-vault": perVault, format };
  const client = connect(options);
  if (format === "json") printJson(await client.call("api-plan", { query }));
  else if (format === "ics") {
    process.stdout.write(await client.text("api-plan", query, "text/calendar"));
  } else {
    process.stdout.write(toPrintableLines(await client.text("api-plan", query, "text/plain")));
  }
}

async function printPlanOfFiles(options: Options, question: PlanQuestion): Promise<void> {
  const known = options.app === undefined ? undefined : await readAppState(connect(options));
  const { text, warnings } = await planConfig(
    { ...question, ...(known && { known }) },
    process.cwd(),
  );
  for (const warning of warnings) printNote(`warning: ${warning}`);
  process.stdout.write(text);
}

type Question = Omit<PlanQuestion, "config" | "known"> & {
  /** Absent: the plan of the app is wanted. */
  readonly config?: string;
};

/** What the options request. Throws Failure. */
export function toQuestion(options: Options): Question {
  const { config, against, targets } = options;
  requireSources(options);
  return {
    format: readFormat(options),
    ...(config !== undefined && { config }),
    ...(against !== undefined && { against }),
    ...(targets !== undefined && { targets }),
    ...readPeriod(options),
    ...readLimits(options),
  };
}

function requireSources(options: Options): void {
  const { config, against, app } = options;
  if (config === undefined) {
    if (against === undefined) return;
    throw usageFailure("--against needs --config, which names the configuration before the edit.");
  }
  const { keyEnv, entra, requestTimeout } = options;
  const given = { "--key-env": keyEnv, "--entra": entra, "--request-timeout": requestTimeout };
  const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (app !== undefined || name === undefined) return;
  throw usageFailure(
    `With --config, ${name} needs --app, which names the app whose state the plan uses. Leave out --config for the plan of the app.`,
  );
}

function readFormat({ json, ics, against }: Options): PlanQuestion["format"] {
  if (json && ics) throw usageFailure("--json and --ics cannot be combined. Use one of them.");
  if (ics && against !== undefined) {
    throw usageFailure(
      "--ics and --against cannot be combined. A comparison can be text or --json.",
    );
  }
  if (ics) return "ics";
  return json ? "json" : "text";
}

function readPeriod({ from, to }: Options): Pick<PlanQuestion, "from" | "to"> {
  if (from !== undefined && to !== undefined && to <= from) {
    throw usageFailure("--to must be after --from.");
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function readLimits({ perServer, perVault }: Options): Pick<PlanQuestion, "limits"> {
  const [server, vault] = [
    readLimit("--per-server", perServer),
    readLimit("--per-vault", perVault),
  ];
  if (!server && !vault) return {};
  return { limits: { ...(server && { perServer: server }), ...(vault && { perVault: vault }) } };
}

function readLimit(name: string, written: string | undefined) {
  if (written === undefined) return undefined;
  const found = parseLimit(written);
  if (found) return found;
  throw usageFailure(`${name} must be a number and a time such as 10/10s.`);
}
