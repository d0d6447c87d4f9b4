import { parseKnownHead, parsePublicKeys } from "./core/ledger/known-head.ts";
import type { LedgerReport } from "./core/ledger/report.ts";
import { verifyLines } from "./core/ledger/verify.ts";

/** What an auditor has besides the export, as text. */
export interface Evidence {
  readonly head?: string;
  /** Public keys in PEM. */
  readonly keys?: string;
}

/** See `verifyLedger` of the app. */
export async function verifyExport(
  lines: AsyncIterable<string>,
  { head: headText, keys: pem }: Evidence,
): Promise<LedgerReport | { readonly unreadable: keyof Evidence }> {
  const head = headText === undefined ? undefined : parseKnownHead(headText);
  if (headText !== undefined && !head) return { unreadable: "head" };
  const keys = pem === undefined ? undefined : parsePublicKeys(pem);
  if (pem !== undefined && !keys) return { unreadable: "keys" };
  return verifyLines(lines, { ...(head && { head }), ...(keys && { keys }) });
}
