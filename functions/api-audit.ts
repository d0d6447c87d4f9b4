import type { HttpRequest } from "@azure/functions";
import { readCursor, writeCursor } from "./http/cursor.ts";
import type { Call } from "./http/endpoint.ts";
import { nextPage } from "./http/pages.ts";
import { invalid, ProblemError } from "./http/problem.ts";
import { reply, replyText, serve } from "./http/serve.ts";
import { withoutUndefined } from "./http/without-undefined.ts";
import type { listAudit } from "./schemas/audit.ts";

const schemas = () => import("./schemas/audit.ts");

const jsonLines = "application/jsonl";

serve(
  "api-audit",
  async () => (await schemas()).listAudit,
  async (call) => (isExport(call) ? exportEntries(call) : listEntries(call)),
);

function isExport({ query: { format }, request }: Call<typeof listAudit>): boolean {
  if (format !== undefined) return format === "jsonl";
  return (request.headers.get("accept") ?? "").includes(jsonLines);
}

async function listEntries({ query, operations, request }: Call<typeof listAudit>) {
  const { limit, cursor, format: _, segment, ...filter } = query;
  if (segment !== undefined) throw invalid("`segment` is only for `format=jsonl`.");
  const [from, sequence] = readCursor("audit", cursor) ?? [];
  const before = from !== undefined && {
    before: { segment: Number(from), sequence: Number(sequence) },
  };
  const page = await operations.ledger({ limit, filter, ...before });
  const { entries, next } = page;
  const place = next && writeCursor("audit", [String(next.segment), String(next.sequence)]);
  return reply(200, { entries, ...nextPage("/api/audit", request.query, place) });
}

/** A filter would remove entries, and then nobody could verify the export. */
const filters = ["target", "rotation", "by", "action", "outcome", "ticket", "cursor"] as const;

async function exportEntries({ query, operations, request }: Call<typeof listAudit>) {
  const given = filters.find((name) => query[name] !== undefined);
  if (given !== undefined) {
    throw invalid(
      `\`${given}\` cannot be combined with \`format=jsonl\`: an export contains every entry, so that it can be verified.`,
    );
  }
  const { segment: from, since, until } = query;
  const part = await operations.exportLedger(withoutUndefined({ from, since, until }));
  const next =
    part.next === undefined ? {} : { link: `<${nextPart(request, part.next)}>; rel="next"` };
  return replyText(200, `${part.lines.join("\n")}\n`, jsonLines, next);
}

function nextPart(request: HttpRequest, segment: number): string {
  const query = new URLSearchParams({ format: "jsonl", segment: String(segment) });
  const until = request.query.get("until");
  if (until !== null) query.set("until", until);
  return `/api/audit?${query.toString()}`;
}

serve(
  "api-audit-head",
  async () => (await schemas()).getAuditHead,
  async ({ operations }) => {
    const found = await operations.ledgerHead();
    if (!found) {
      throw new ProblemError("no-ledger-entry", "The ledger has no entry yet.");
    }
    const { segment, first, sequence, hash, at, signature } = found;
    const head = { segment, first, sequence, hash, at };
    return reply(200, { head, ...(signature && { signature }) });
  },
);
