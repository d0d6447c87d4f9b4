import { z } from "zod";

/** An answer to one request, as it came over the wire. */
export interface Answer {
  readonly status: number;
  /** Of the header `content-type`; empty when there is none. */
  readonly contentType: string;
  readonly body: string;
}

/** `https://VAULT/secrets/NAME`, and mostly a version behind it; also that of a deleted secret. */
const secretId = z
  .string()
  .regex(/^https?:\/\/[^/?#]+\/secrets\/[0-9A-Za-z-]+(?:\/[0-9A-Za-z-]*)?$/);
const oneSecret = z.object({ id: secretId });
const page = z.object({ value: z.array(oneSecret) });
const found = z.union([oneSecret, page]);
const refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * False when something else answered in the place of Key Vault: a gateway, a captive portal, or a server that a wrong
 * private DNS record leads to. Such an answer says nothing about a secret, whatever its status is: a gateway's 404 does
 * not mean that a secret is absent.
 */
export function isOwnAnswer({ status, contentType, body }: Answer): boolean {
  if (!/^application\/json(?:;|$)/i.test(contentType.trim())) return false;
  const shape = status === 200 ? found : refused;
  return shape.safeParse(parseJson(body)).success;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the body.
    return undefined;
  }
}

/** Why an answer is not used. */
export type Strangeness = "foreign" | "about-another-secret" | "incomplete";

/** Holds nothing of the answer but its status, because the answer may hold a secret. */
export class StrangeAnswerError extends Error {
  override readonly name = "StrangeAnswerError";
  readonly strangeness: Strangeness;
  readonly status: number | undefined;

  constructor(strangeness: Strangeness, status?: number) {
    super(`The answer is ${strangeness}.`);
    this.strangeness = strangeness;
    this.status = status;
  }
}
