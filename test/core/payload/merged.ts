import { type Merge, mergePayload } from "../../../shared/core/payload/merge-payload.ts";
import { renderPayload } from "../../../shared/core/payload/payload.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { PayloadFormat } from "../../../shared/core/target.ts";

export const endpoint = {
  engine: "postgresql",
  host: "db.example.com",
  port: 5432,
  database: "orders",
};
export const oldPassword = "0ld-Secret_of-all";
export const newPassword = "n3w-Secret~of-all";
export const credential = { username: "app", password: oldPassword };
export const ownTags = {
  "keyturn-target": "orders",
  "keyturn-rotation": "01",
  "keyturn-account": "app",
  CredentialId: "app",
  ProviderAddress: "db.example.com",
  ValidityPeriodDays: "90",
};

export interface Case {
  readonly as?: PayloadFormat;
  readonly account?: string;
  readonly accounts?: readonly string[];
  readonly password?: string;
  readonly contentType?: string;
  readonly tags?: Record<string, string>;
  readonly configured?: Record<string, string>;
  /** More keys of the endpoint. */
  readonly more?: Record<string, string>;
}

/** The input of `mergePayload` when `previous` is published, as a text or as JSON. */
export function mergeInto(previous: unknown, given: Case = {}): Merge {
  const { as = "json", account = "app", password = newPassword, accounts = [account] } = given;
  const credential = { account, secret: new Secret(password) };
  const text = typeof previous === "string" ? previous : JSON.stringify(previous);
  return {
    previous: {
      value: new Secret(text),
      contentType: given.contentType ?? "",
      tags: given.tags ?? {},
    },
    fresh: {
      ...renderPayload(as, credential, { ...endpoint, more: given.more ?? {} }),
      tags: ownTags,
    },
    credential,
    accounts,
    tags: given.configured ?? {},
  };
}

/** The new version; `text` is its value. */
export function merged(previous: unknown, given: Case = {}) {
  const { value, ...rest } = mergePayload(mergeInto(previous, given));
  return { ...rest, text: value.reveal() };
}

export function mergedJson(previous: unknown, given: Case = {}): Record<string, unknown> {
  return JSON.parse(merged(previous, given).text) as Record<string, unknown>;
}
