import type { TransactionAction } from "@azure/data-tables";
import { LeaseLostError } from "../../core/errors.ts";
import { shorten } from "../../core/shorten.ts";
import type { KeyedRequest, KeyUse } from "../journal.ts";
import { type Columns, escapeLineSeparators } from "./columns.ts";
import * as keys from "./row-keys.ts";
import { type Row, type Table, toUnavailableError } from "./table.ts";

/** Table storage allows 64 KiB of UTF-16 in one column, and 1 MiB in one row. */
const maxColumnLength = 30_000;
const maxAnswerLength = 400_000;

/** The columns of an idempotency key. A long answer takes several. */
export function writeKeyUse({ asked, answer }: KeyedRequest): Columns {
  const text = escapeLineSeparators(answer);
  if (text.length > maxAnswerLength) {
    throw new Error(
      `The answer to a request cannot be stored: it has ${text.length} characters; the limit is ${maxAnswerLength}.`,
    );
  }
  return { asked, ...Object.fromEntries(splitText(text).map((part, at) => [`answer${at}`, part])) };
}

export function readKeyUse(columns: Readonly<Record<string, unknown>>): KeyUse {
  let answer = "";
  for (let at = 0; ; at++) {
    const part = columns[`answer${at}`];
    if (typeof part !== "string") break;
    answer += part;
  }
  return { asked: String(columns["asked"]), answer };
}

function splitText(text: string): string[] {
  const parts: string[] = [];
  for (let rest = text; rest !== "";) {
    const part = shorten(rest, maxColumnLength);
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return parts;
}

/** An expired key may not have been removed yet. */
export function isExpired({ timestamp }: Row, expiry: Date): boolean {
  return timestamp !== undefined && new Date(timestamp) < expiry;
}

/** Requests to no single target are beside the freezes, so that one transaction stores both. */
export function keyPlace(
  targetId: string | undefined,
  key: string,
): [partition: string, row: string] {
  const partition = targetId === undefined ? keys.freezePartition : keys.toPartition(targetId);
  return [partition, keys.requestRow(targetId ?? "", key)];
}

/**
 * Stores a new key together with other rows. Throws LeaseLostError if the key is known already, also to a transaction that the client
 * repeats after a lost reply.
 */
export async function submitNewKey(
  table: Table,
  request: KeyedRequest,
  others: TransactionAction[],
  expiry: Date,
): Promise<void> {
  const [partitionKey, rowKey] = keyPlace(undefined, request.key);
  const row = { partitionKey, rowKey, ...writeKeyUse(request) };
  let result = await table.submit([["create", row], ...others]);
  if ("etag" in result) return;
  const known = await table.read(partitionKey, rowKey);
  if (known && isExpired(known, expiry)) {
    const replace: TransactionAction = ["update", row, "Replace", { etag: known.etag }];
    result = await table.submit([replace, ...others]);
    if ("etag" in result) return;
  } else if (known) {
    throw new LeaseLostError("The idempotency key was stored by another request.");
  }
  throw toUnavailableError(result.failure);
}
