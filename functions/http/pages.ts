/**
 * Returns the path of the next page of a list, or nothing after the last page. The path keeps the limit and the filters as they were
 * sent, so that the next page continues the same list.
 */
export function nextPage(
  path: string,
  sent: URLSearchParams,
  cursor: string | undefined,
): { readonly next?: string } {
  if (cursor === undefined) return {};
  const query = new URLSearchParams([...sent].filter(([name]) => !platformNames.includes(name)));
  query.set("cursor", cursor);
  return { next: `${path}?${query.toString()}` };
}

/** Query parameters of the Functions host itself: the access key and its client id. An answer must not repeat a key. */
export const platformNames = ["code", "clientId"];
