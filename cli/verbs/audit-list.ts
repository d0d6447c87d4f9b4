import type { Client } from "../api/client.ts";
import type { ApiAnswer, ApiRequest, AuditEntry } from "../api/endpoints.ts";
import { printEntries, toLimit } from "../output/print-entries.ts";
import type { Column } from "../output/table.ts";
import { shortTime } from "../output/times.ts";

type Query = NonNullable<ApiRequest<"api-audit">["query"]>;

interface ListOptions extends Partial<Omit<Query, "limit" | "cursor" | "format" | "segment">> {
  readonly limit: number;
  readonly all?: true | undefined;
  readonly json?: true | undefined;
}

export async function listEntries(client: Client, options: ListOptions): Promise<void> {
  const { limit, pageLength } = toLimit(options);
  const { target, rotation, by, action, outcome, ticket, since, until } = options;
  const pages = client.pages("api-audit", {
    query: {
      ...{ target, rotation, by, action, outcome, ticket, since, until },
      ...{ limit: pageLength, format: undefined },
      ...{ cursor: undefined, segment: undefined },
    },
  });
  const read = (page: ApiAnswer<"api-audit">) => page.entries;
  await printEntries(options, { pages, read, limit, columns, none: "No entry matches." });
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
