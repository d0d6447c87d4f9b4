import { isObject, parseJson } from "../../core/json.ts";
import type { AnchoredHead } from "../../core/ledger/chain.ts";
import { parseHead } from "../../core/ledger/lines.ts";

/** The columns of a new head. Only `writeHead` and `anchor` write them. */
export function writeHead({ segment, first, sequence, hash, at, unsignedSince }: AnchoredHead) {
  const head = { segment, first, sequence, hash, at };
  return { ...head, ...(unsignedSince !== undefined && { unsignedSince }) };
}

/** The head, or undefined if the row is damaged. */
export function readHead(segment: number, row: unknown): AnchoredHead | undefined {
  if (!isObject(row)) return undefined;
  const head = parseHead(row);
  if (head?.segment !== segment) return undefined;
  const { key, signature, toldTo, anchoredAt, unsignedSince } = row;
  const isSigned = typeof key === "string" && typeof signature === "string";
  return {
    ...head,
    ...(isSigned && { signature: { key, value: signature } }),
    ...(typeof toldTo === "string" && { toldTo: readNames(toldTo) }),
    ...(typeof anchoredAt === "string" && { anchoredAt }),
    ...(typeof unsignedSince === "string" && { unsignedSince }),
  };
}

function readNames(text: string): string[] {
  const names = parseJson(text);
  return Array.isArray(names) ? names.map(String) : [];
}
