import type { ServerRules } from "../../core/secrets/server-rules.ts";
import type { PostgresqlOptions } from "./postgresql-options.ts";

/** The settings in which password policies of PostgreSQL keep their rules. Every account can read them. */
export const passwordSettings = [
  "passwordcheck.min_password_length",
  "credcheck.encrypted_password_allowed",
  "credcheck.whitelist",
  "credcheck.superuser_nocheck",
  "credcheck.password_min_length",
  "credcheck.password_min_lower",
  "credcheck.password_min_upper",
  "credcheck.password_min_digit",
  "credcheck.password_min_special",
  "credcheck.password_min_repeat",
  "credcheck.password_contain",
  "credcheck.password_not_contain",
  "credcheck.password_contain_username",
  "credcheck.password_ignore_case",
] as const;

type Setting = (typeof passwordSettings)[number];

/** The answer of the catalog, as far as it concerns these rules. */
interface Asked {
  readonly settings: Readonly<Partial<Record<Setting, string | null>>>;
  readonly amSuperuser: boolean;
}

type Choice = Pick<PostgresqlOptions, "sendPassword">;

const isOn = (value: string | null | undefined) => /^(on|true|yes|1)$/i.test(value ?? "");
/** A length may have the unit B. */
const toNumber = (value: string | null | undefined) => Number.parseInt(value ?? "", 10) || 0;

/** Why the server accepts no verifier of the account. Undefined if it does, as far as is known. */
export function refusesVerifiers(
  { sendPassword = "verifier" }: Choice,
  asked: Asked,
  account: string,
): string | undefined {
  const allowed = asked.settings["credcheck.encrypted_password_allowed"] ?? undefined;
  if (sendPassword === "clear" || allowed === undefined || isOn(allowed)) return undefined;
  if (isExempt(asked, account)) return undefined;
  return (
    `Account \`${account}\` cannot be changed: credcheck on the server must see the password itself, and refuses a verifier. ` +
    "Set options.sendPassword to clear, or let a superuser run: ALTER SYSTEM SET credcheck.encrypted_password_allowed = on."
  );
}

/** The server's rules for a clear password. No rule applies to a verifier. */
export function readRules(
  { sendPassword = "verifier" }: Choice,
  asked: Asked,
  account: string,
): ServerRules | undefined {
  if (sendPassword !== "clear") return undefined;
  const { settings } = asked;
  // Before version 18, passwordcheck shows no setting.
  const passwordcheck = toNumber(settings["passwordcheck.min_password_length"]);
  const hasCredcheck = typeof settings["credcheck.password_min_length"] === "string";
  if (!hasCredcheck || isExempt(asked, account)) {
    return passwordcheck === 0
      ? undefined
      : { source: "passwordcheck on the server", minLength: passwordcheck, withoutAccount: true };
  }
  const ignoresCase = isOn(settings["credcheck.password_ignore_case"]);
  const maxRun = toNumber(settings["credcheck.password_min_repeat"]);
  return {
    source: "credcheck on the server",
    minLength: Math.max(passwordcheck, toNumber(settings["credcheck.password_min_length"])),
    atLeast: {
      digits: toNumber(settings["credcheck.password_min_digit"]),
      symbols: toNumber(settings["credcheck.password_min_special"]),
      ...(!ignoresCase && {
        lower: toNumber(settings["credcheck.password_min_lower"]),
        upper: toNumber(settings["credcheck.password_min_upper"]),
      }),
    },
    without: settings["credcheck.password_not_contain"] ?? "",
    oneOf: settings["credcheck.password_contain"] ?? "",
    ...(maxRun > 0 && { maxRun }),
    withoutAccount: isOn(settings["credcheck.password_contain_username"]),
    ignoresCase,
  };
}

/** Whether credcheck makes an exception for the account, or for the superuser who changes it. */
function isExempt({ settings, amSuperuser }: Asked, account: string): boolean {
  if (amSuperuser && isOn(settings["credcheck.superuser_nocheck"])) return true;
  const names = (settings["credcheck.whitelist"] ?? "").split(",").map((name) => name.trim());
  return names.some((name) => name.toLowerCase() === account.toLowerCase());
}
