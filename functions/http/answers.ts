import type { HttpResponseInit } from "@azure/functions";

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  404: "Not found",
  409: "Conflict",
  413: "Body too large",
  415: "Unsupported content type",
  422: "Unprocessable content",
  503: "Unavailable",
};

/** Makes an answer in the format of RFC 9457. `detail` must reveal nothing internal; `more` holds extension members. */
export function toProblemAnswer(
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
  more: object = {},
): HttpResponseInit {
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...headers,
    },
    body: JSON.stringify({ type: "about:blank", title: titles[status], status, detail, ...more }),
  };
}

export function toAnswer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit {
  return {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** Returns the link to the next page of a list, or nothing after the last page. */
export function linkNextPage(
  path: string,
  limit: number | undefined,
  cursor: string | undefined,
): { readonly next?: string } {
  if (cursor === undefined) return {};
  const query = new URLSearchParams({
    ...(limit !== undefined && { limit: String(limit) }),
    cursor,
  });
  return { next: `${path}?${query.toString()}` };
}
