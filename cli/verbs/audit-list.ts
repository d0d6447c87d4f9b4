import type { Client } from "../api/client.ts";
import type { ApiRequest, AuditEntry } from "../api/endpoints.ts";
import { printJsonLine, printNote, printText } from "../output/print.ts";
import { type Column, formatTable } from "../output/table.ts";
import { shortTime } from "../output/times.ts";
import { takeEntries } from "./take-entries.ts";

type Query = NonNullable<ApiRequest<"api-audit">["query"]>;

interface ListOptions extends Partial<Omit<Query, "limit" | "cursor" | "format" | "segment">> {
  readonly limit: number;
  readonly all?: true | undefined;
  readonly json?: true | undefined;
}

export async function listEntries(client: Client, options: ListOptions): Promise<void> {
  const limit = options.all ? Infinity : options.limit;
  const { target, rotation, by, action, outcome, ticket, since, until } = options;
  const pages = client.pages("api-audit", {
    query: {
      ...{ target, rotation, by, action, outcome, ticket, since, until },
      ...{ limit: String(Math.min(100, limit)), format: undefined },
      ...{ cursor: undefined, segment: undefined },
    },
  });
  const found: AuditEntry[] = [];
  for await (const entry of takeEntries(pages, ({ entries }) => entries, limit)) {
    if (options.json) printJsonLine(entry);
    else found.push(entry);
  }
  if (options.json) return;
  if (found.length === 0) printNote("No entry matches.");
  else printText(formatTable(found, columns));
}

const columns: readonly Column<AuditEntry>[] = [
  { heading: "NO", read: ({ sequence }) => String(sequence) },
  { heading: "AT (UTC)", read: ({ at }) => shortTime(at) },
  { heading: "BY", read: ({ by }) => by, min: 8 },
  { heading: "ACTION", read: ({ action }) => action },
  { heading: "OUTCOME", read: ({ outcome }) => outcome },
  {
    heading: "TARGET",
    read: ({ targets = [], selection }) => selection ?? (targets.join(", ") || undefined),
    min: 8,
  },
  {
    heading: "WHY",
    read: ({ reason, ticket, detail }) =>
      [ticket, reason, detail].filter((one) => one !== undefined).join("; ") || undefined,
    min: 10,
  },
];
