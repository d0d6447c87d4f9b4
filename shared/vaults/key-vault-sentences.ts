import { z } from "zod";

/** What secrets and keys of Key Vault have in common when a request fails, as sentences for an operator. */
export const commonSentences: Readonly<Record<number, string>> = {
  401: "Key Vault refuses the token of Keyturn's identity. Check that the vault is in the same tenant.",
  429: "the vault is throttling; all clients of the vault share its limit.",
};

export const notCarriedOut = "the vault did not carry out the request.";
export const timedOut = "the request timed out.";
/** The identity clients say more, but their messages contain the answers that they received. */
export const noAnswer =
  "no token is available for Keyturn's identity, or the answer is not readable.";

/** The code of a failed connection, such as `ECONNRESET`. It is from Node, not from the server. */
export const networkCode = z.string().regex(/^[A-Z_]{1,40}$/);
