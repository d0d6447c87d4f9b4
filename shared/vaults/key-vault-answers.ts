import { z } from "zod";
import { parseJson } from "../core/json.ts";

/** The HTTP answer to one request. */
export interface Answer {
  readonly status: number;
  /** The header `content-type`; empty when absent. */
  readonly contentType: string;
  readonly body: string;
}

/** `https://VAULT/secrets/NAME`, usually with a version; also the address of a deleted secret. */
const secretId = z
  .string()
  .regex(/^https?:\/\/[^/?#]+\/secrets\/[0-9A-Za-z-]+(?:\/[0-9A-Za-z-]*)?$/);
const oneSecret = z.object({ id: secretId });
const page = z.object({ value: z.array(oneSecret) });
const found = z.union([oneSecret, page]);
const refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * False when something else answered instead of Key Vault: a gateway, a captive portal, or a server behind a wrong private DNS
 * record. Such an answer says nothing about a secret, whatever its status: a 404 of a gateway does not mean that a secret is absent.
 */
export function isOwnAnswer({ status, contentType, body }: Answer): boolean {
  if (!/^application\/json(?:;|$)/i.test(contentType.trim())) return false;
  const shape = status === 200 ? found : refused;
  return shape.safeParse(parseJson(body)).success;
}

/** Why Keyturn does not use an answer. */
export type Strangeness = "foreign" | "about-another-secret" | "incomplete";

/** Contains only the status of the answer, because the answer may contain a secret. */
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
