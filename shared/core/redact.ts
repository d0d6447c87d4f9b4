import type { Secret } from "./secret.ts";

/** `text` with every form in which one of the secrets could have got into it replaced by `[secret]`. */
export function redact(text: string, secrets: readonly Secret[]): string {
  const forms = secrets
    .flatMap((secret) => spellings(secret.reveal()))
    .filter((form) => form.length >= 4)
    // A longer form first: replacing a part of it would leave the rest standing.
    .sort((a, b) => b.length - a.length);
  return forms.reduce((redacted, form) => redacted.replaceAll(form, "[secret]"), text);
}

function spellings(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll("'", "''"),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
}
