import { checkApiVersion, checkPageSize } from "./emulator-limits.ts";
import { badParameter } from "./vault-error.ts";

export interface Page<Item> {
  readonly value: readonly Item[];
  /** The link to the next page; null on the last page. */
  readonly nextLink: string | null;
}

/**
 * Takes one page in the order of the keys. The link contains the last key on the page, so that no entry is repeated or missed when
 * others are added or removed between two pages.
 */
export function takePage<Source, Item>(
  all: Iterable<Source>,
  options: {
    readonly key: (each: Source) => string;
    readonly show: (each: Source) => Item;
    /** The list without its query. */
    readonly url: string;
    readonly query: URLSearchParams;
  },
): Page<Item> {
  const size = checkPageSize(options.query);
  const after = readToken(options.query.get("$skiptoken"));
  const rest = Array.from(all, (each) => ({ key: options.key(each), each }))
    .filter(({ key }) => after === undefined || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const shown = rest.slice(0, size);
  const last = shown.at(-1);
  const more = rest.length > shown.length && last !== undefined;
  return {
    value: shown.map(({ each }) => options.show(each)),
    nextLink: more ? link(options.url, options.query, last.key, size) : null,
  };
}

function link(url: string, query: URLSearchParams, last: string, size: number): string {
  const token = Buffer.from(last).toString("base64url");
  return `${url}?api-version=${checkApiVersion(query)}&$skiptoken=${token}&maxresults=${String(size)}`;
}

function readToken(token: string | null): string | undefined {
  if (token === null) return undefined;
  const key = Buffer.from(token, "base64url").toString("utf8");
  if (/^[0-9a-z-]+$/.test(key)) return key;
  throw badParameter("The continuation token is not one of this vault.");
}
