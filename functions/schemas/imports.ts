import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import { justification, keyedHeaders, targetParams } from "./common.ts";
import { accepted, lifts, requested } from "./requested.ts";

/** Bytes: the limit of Key Vault for one version of a secret. */
const maxBodyBytes = 25 * 1024;

const valueError = "`value` must contain the password that was issued, as text.";
const accountError =
  "`account` must be the name of an account of the target, in 1 to 200 characters.";

export const importSecret = endpoint({
  route: "api-import",
  group: "Rotations",
  summary: "Put a password in force that somebody else issued",
  description:
    "The value goes from the body into a pending version in Key Vault and nowhere else. A rotation with the cause `import` then logs in with it. If the target accepts it, it is published as it is (`alreadySet`); otherwise Keyturn sets it first, if `apply` permits. Nothing is changed for the published account of a pair, because consumers use it: the target must have the value already. Refused during a rotation.",
  params: targetParams,
  headers: keyedHeaders,
  body: {
    json: z.strictObject({
      value: z
        .string(valueError)
        .min(1, valueError)
        .meta({ writeOnly: true, format: "password" })
        .describe("The password, of at least 8 characters, without control characters."),
      account: z
        .string(accountError)
        .min(1, accountError)
        .max(200, accountError)
        .optional()
        .describe(
          "The account to which the password belongs. Default: the account that a rotation would change; of a pair, the one that is not published.",
        ),
      apply: z
        .enum(["if-needed", "never"])
        .default("if-needed")
        .describe(
          "`if-needed`: Keyturn sets the password if the target refuses it. `never`: the target must accept it already, because somebody has set it.",
        ),
      ...lifts,
      ...justification,
    }),
    maxBytes: maxBodyBytes,
  },
  secretFields: ["value"],
  answers: { 202: { ...accepted, content: { "application/json": requested } } },
  problems: ["target-not-found", "busy", "not-possible", "record-unreadable", "vault-unavailable"],
});
