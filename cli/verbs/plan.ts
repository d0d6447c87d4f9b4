import { parseLimit, planConfig, type PlanQuestion } from "../../shared/app.ts";
import { offline, toMoment, withExamples } from "../command.ts";
import type { Environment } from "../connection/connection.ts";
import { usageFailure } from "../exit-codes.ts";
import { printNote } from "../output/print.ts";
import { requireConfig, usualConfig } from "./config-file.ts";

export const makePlan = () =>
  withExamples(
    offline("plan", "show every rotation to come, when and why, and what blocks it")
      .option("--config <file>", "file or folder of the configuration", usualConfig)
      .option(
        "--against <file>",
        "an edited configuration: show what the edit changes, target by target; today is the 24 hours from --from on",
      )
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
      .option("--json", "print JSON, for scripts")
      .option("--ics", "print an iCalendar file, for calendar programs")
      .option(
        "--api <url>",
        "a running app, from which the plan reads the age of each secret (default: each secret counts as adopted now)",
      )
      .option("--key-env <name>", "environment variable that holds the function key of that app")
      .action(async (options) => {
        const question = toQuestion(options, process.env);
        requireConfig(question.config);
        const { text, warnings } = await planConfig(question, process.cwd());
        for (const warning of warnings) printNote(`warning: ${warning}`);
        process.stdout.write(text);
      }),
    ["keyturn plan --config keyturn.yaml", "the next 100 days"],
    ["keyturn plan --against edited.yaml", "what an edit changes"],
  );

type Options = ReturnType<ReturnType<typeof makePlan>["opts"]>;

/** What the options request. Throws Failure. */
export function toQuestion(options: Options, environment: Environment): PlanQuestion {
  const { config, against, targets } = options;
  return {
    config,
    format: readFormat(options),
    ...(against !== undefined && { against }),
    ...(targets !== undefined && { targets }),
    ...readPeriod(options),
    ...readLimits(options),
    ...readApi(options, environment),
  };
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

function readApi(
  { api, keyEnv: name }: Options,
  environment: Environment,
): Pick<PlanQuestion, "api"> {
  if (api === undefined && name === undefined) return {};
  if (api === undefined || name === undefined) {
    throw usageFailure("--api and --key-env must be used together.");
  }
  const key = environment[name];
  if (key === undefined || key === "") {
    throw usageFailure(
      "The environment variable that --key-env names is not set or is empty. Set this variable to the function key of the app.",
    );
  }
  return { api: { url: api, key } };
}
