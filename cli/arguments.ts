import { parseArgs } from "node:util";
import { instantOf, limitOf, type PlanQuestion } from "../shared/app.ts";

export const usage = `Usage: npm run keyturn -- plan [options]
       npm run keyturn -- check [--config FILE]

npx keyturn does the same without the output of npm: use it to redirect output.
Relative paths start from the folder of the project. Nothing contacts Azure,
unless --api names an app.

plan shows every rotation to come, when and why, and what blocks it:

  --config FILE   file or folder of the configuration (default: keyturn.yaml)
  --against FILE  an edited configuration: shows what the edit changes, target
                  by target; today is the 24 hours from --from on
  --from WHEN     a day or an instant such as 2026-12-20 or
                  2026-12-20T18:00:00Z (default: now)
  --to WHEN       the same (default: 100 days after --from)
    --targets GLOB  only targets whose id matches, such as "orders-*"
  --per-server N/TIME
                  limit of rotations on one server; the plan reports when it is
                  exceeded (default: 10/10s)
  --per-vault N/TIME
                  limit of new versions of secrets in one vault (default:
                  300/10s, the documented limit of Key Vault)
  --json          prints JSON, for programs
  --ics           prints an iCalendar file, for calendar programs
  --api URL       a running app, from which the plan reads the age of each
                  secret (default: each secret counts as adopted now)
  --key-env NAME  environment variable that holds the function key of that app

check validates a configuration as the app does when it starts. The exit code is
0 if it is valid, and 1 if it has problems, which are all listed:

  --config FILE   file or folder of the configuration (default: keyturn.yaml)

Both take --help, which prints this text.`;

/** The arguments are invalid. The message is for the operator who wrote them. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const options = {
  config: text,
  against: text,
  from: text,
  to: text,
  targets: text,
  "per-server": text,
  "per-vault": text,
  json: flag,
  ics: flag,
  api: text,
  "key-env": text,
  help: flag,
};

type Values = ReturnType<typeof parse>["values"];

const commands = ["plan", "check"] as const;
const optionsOfCheck = ["config", "help"];
const usualConfig = "keyturn.yaml";

/** Reads the command. Undefined when the operator requests help. Throws UsageError. */
export function readCommand(args: readonly string[]): (typeof commands)[number] | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const known = `Commands: ${commands.join(", ")}.`;
  const [written, surplus] = positionals;
  if (written === undefined) throw new UsageError(`No command. ${known}`);
  if (surplus !== undefined) throw new UsageError(`Unexpected argument "${surplus}".`);
  const command = commands.find((one) => one === written);
  if (command === undefined) throw new UsageError(`Unknown command "${written}". ${known}`);
  return command;
}

/** Reads the arguments of `plan`. Undefined when the operator requests help. Throws UsageError. */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PlanQuestion | undefined {
  const command = readCommand(args);
  if (command === undefined) return undefined;
  if (command !== "plan") throw new UsageError(`Expected the command plan, but got ${command}.`);
  const { values } = parse(args);
  const { config = usualConfig, against, targets } = values;
  return {
    config,
    format: parseFormat(values),
    ...(against !== undefined && { against }),
    ...(targets !== undefined && { targets }),
    ...span(values),
    ...limits(values),
    ...findApi(values, environment),
  };
}

/** Reads the path of the configuration to check. Throws UsageError. */
export function readCheckArguments(args: readonly string[]): string {
  const { values } = parse(args);
  const foreign = Object.keys(values).find((name) => !optionsOfCheck.includes(name));
  if (foreign !== undefined)
    throw new UsageError(`Unknown option --${foreign} for check. Allowed: --config, --help.`);
  return values.config ?? usualConfig;
}

function parse(args: readonly string[]) {
  const { tokens, ...parsed } = parseWith(args);
  const given = tokens.flatMap((token) => (token.kind === "option" ? token.name : []));
  const repeated = given.find((name, index) => given.indexOf(name) < index);
  // Without this check, the last one would apply silently.
  if (repeated !== undefined) throw new UsageError(`--${repeated} is given more than once.`);
  return parsed;
}

function parseWith(args: readonly string[]) {
  try {
    const how = { strict: true, allowPositionals: true, tokens: true } as const;
    return parseArgs({ args: [...args], options, ...how });
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? error.message : "The arguments cannot be parsed.",
    );
  }
}

function parseFormat({ json, ics, against }: Values): PlanQuestion["format"] {
  if (json && ics) throw new UsageError("--json and --ics cannot be combined. Use one of them.");
  if (ics && against !== undefined)
    throw new UsageError(
      "--ics and --against cannot be combined. A comparison can be text or --json.",
    );
  if (ics) return "ics";
  return json ? "json" : "text";
}

function span({ from, to }: Values): Pick<PlanQuestion, "from" | "to"> {
  const [begin, end] = [parseMoment("--from", from), parseMoment("--to", to)];
  if (begin !== undefined && end !== undefined && end <= begin) {
    throw new UsageError("--to must be after --from.");
  }
  return { ...(begin !== undefined && { from: begin }), ...(end !== undefined && { to: end }) };
}

function parseMoment(name: string, written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  const moment = instantOf(written);
  if (moment !== undefined) return moment;
  throw new UsageError(`${name} must be a day or an instant such as 2026-12-20T18:00:00Z.`);
}

function limits({
  "per-server": server,
  "per-vault": vault,
}: Values): Pick<PlanQuestion, "limits"> {
  const [perServer, perVault] = [limit("--per-server", server), limit("--per-vault", vault)];
  if (!perServer && !perVault) return {};
  return { limits: { ...(perServer && { perServer }), ...(perVault && { perVault }) } };
}

function limit(name: string, written: string | undefined) {
  if (written === undefined) return undefined;
  const found = limitOf(written);
  if (found) return found;
  throw new UsageError(`${name} must be a number and a time such as 10/10s.`);
}

function findApi(
  { api, "key-env": name }: Values,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<PlanQuestion, "api"> {
  if (api === undefined && name === undefined) return {};
  if (api === undefined || name === undefined) {
    throw new UsageError("--api and --key-env must be used together.");
  }
  const key = environment[name];
  if (key === undefined || key === "") {
    throw new UsageError(
      `The environment variable ${name} is not set or is empty. Set this variable to the function key of the app.`,
    );
  }
  return { api: { url: api, key } };
}
