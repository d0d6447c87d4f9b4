/** An error of Microsoft Graph. `page`: an answer of something else on the way. */
export interface GraphRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly details?: readonly object[];
  readonly page?: string;
}

export interface GraphAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly page?: string;
}

export class Refused extends Error {
  readonly refusal: GraphRefusal;
  constructor(refusal: GraphRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function errorAnswer({
  status,
  code,
  message,
  retryAfter,
  details,
  page,
}: GraphRefusal): GraphAnswer {
  if (page !== undefined) return { status, headers: { "content-type": "text/html" }, page };
  return {
    status,
    ...(retryAfter !== undefined && { headers: { "retry-after": String(retryAfter) } }),
    body: {
      error: {
        ...{ code, message },
        ...(details && { details }),
        innerError: { date: "2026-01-01T00:00:00", "request-id": "1", "client-request-id": "1" },
      },
    },
  };
}

/** The errors of Graph, as people report them. */
export const graphErrors = {
  badToken: {
    status: 401,
    code: "InvalidAuthenticationToken",
    message: "Access token is empty or invalid.",
  },
  noRights: {
    status: 403,
    code: "Authorization_RequestDenied",
    message: "Insufficient privileges to complete the operation.",
  },
  notFound: (id: string): GraphRefusal => ({
    status: 404,
    code: "Request_ResourceNotFound",
    message: `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  }),
  overloaded: {
    status: 404,
    code: "Directory_ObjectNotFound",
    message: "Unable to read the company information from the directory.",
  },
  badRequest: (message: string): GraphRefusal => ({
    status: 400,
    code: "Request_BadRequest",
    message,
  }),
  noCredential: (keyId: string): GraphRefusal => ({
    status: 400,
    code: "Request_BadRequest",
    message: `No password credential found with keyId ${keyId}.`,
  }),
  twoOnly: {
    status: 400,
    code: "Request_BadRequest",
    message: "Not allowed to add 3 passwords. You can only add a maximum of 2 passwords.",
  },
  full: {
    status: 400,
    code: "Directory_ResourceSizeExceeded",
    message:
      "The size of the object has exceeded its limit. Please reduce the number of values and retry your request.",
  },
  lifetime: (policy: string): GraphRefusal => ({
    status: 400,
    code: "CredentialInvalidLifetimeAsPerAppPolicy",
    message: `Credential lifetime exceeds the max value allowed as per assigned policy '${policy}'.`,
    details: [
      { code: "InvalidKeyEndDate", message: "The end date is too late.", target: "EndDate" },
    ],
  }),
  forbidden: (policy: string): GraphRefusal => ({
    status: 400,
    code: "CredentialTypeNotAllowedAsPerAppPolicy",
    message: `Credential type not allowed as per assigned policy '${policy}'.`,
  }),
  conflict: {
    status: 409,
    code: "ConcurrencyViolation",
    message: "Another object was changed at the same time.",
  },
  throttled: (retryAfter: number): GraphRefusal => ({
    status: 429,
    code: "TooManyRequests",
    message: "Too many requests.",
    retryAfter,
  }),
  internal: { status: 500, code: "InternalServerError", message: "An error occurred." },
} as const;
