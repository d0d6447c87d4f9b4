import { parseArgs } from "node:util";
import { instantOf, limitOf, type PlanQuestion } from "../shared/app.ts";

export const usage = `Usage: npm run keyturn -- plan [options]

Shows every rotation to come, when and why, and what is in its way. Asks nothing of Azure.
Relative paths start from the folder of the project.

  --config FILE   file or folder of the configuration (default: keyturn.yaml)
  --against FILE  an edited configuration: shows what the edit changes, target by target;
                  today is the 24 hours from --from on
  --from WHEN     a day or an instant such as 2026-12-20 or 2026-12-20T18:00:00Z (default: now)
  --to WHEN       the same (default: 90 days after --from)
  --targets GLOB  only targets whose id is like this, such as "orders-*"
  --per-server N/TIME
                  more rotations than this on one server are too much at once (default: 10/10s)
  --per-vault N/TIME
                  more new versions of secrets than this in one vault are too much at once
                  (default: 300/10s, which is what Key Vault documents)
  --json          for programs
  --ics           a calendar, for programs that show one
  --api URL       a running app that knows how old each secret is (default: each counts as adopted now)
  --key-env NAME  environment variable that holds the function key of that app
  --help          this text`;

/** The arguments make no sense; the message is for the person who wrote them. */
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

/** Undefined when help is wanted. Throws UsageError. */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PlanQuestion | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length !== 1 || positionals[0] !== "plan") {
    throw new UsageError("The one thing to be done here is plan.");
  }
  const { config = "keyturn.yaml", against, targets } = values;
  return {
    config,
    format: formatOf(values),
    ...(against !== undefined && { against }),
    ...(targets !== undefined && { targets }),
    ...span(values),
    ...limits(values),
    ...apiOf(values, environment),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The arguments are unclear.");
  }
}

function formatOf({ json, ics, against }: Values): PlanQuestion["format"] {
  if (json && ics) throw new UsageError("Take one of --json and --ics.");
  if (ics && against !== undefined) throw new UsageError("A comparison cannot be a calendar.");
  if (ics) return "ics";
  return json ? "json" : "text";
}

function span({ from, to }: Values): Pick<PlanQuestion, "from" | "to"> {
  const [begin, end] = [momentOf("--from", from), momentOf("--to", to)];
  if (begin !== undefined && end !== undefined && end <= begin) {
    throw new UsageError("--to must lie after --from.");
  }
  return { ...(begin !== undefined && { from: begin }), ...(end !== undefined && { to: end }) };
}

function momentOf(name: string, written: string | undefined): string | undefined {
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

function apiOf(
  { api, "key-env": name }: Values,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<PlanQuestion, "api"> {
  if (api === undefined && name === undefined) return {};
  if (api === undefined || name === undefined) {
    throw new UsageError("--api and --key-env go together.");
  }
  const key = environment[name];
  if (key === undefined || key === "") {
    throw new UsageError(`The environment variable ${name} holds no key.`);
  }
  return { api: { url: api, key } };
}
