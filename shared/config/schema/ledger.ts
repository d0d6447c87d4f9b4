import { z } from "zod";
import { maybe } from "./fields.ts";

export const ledgerSchema = z.strictObject({
  signWith: maybe(
    z.strictObject({
      key: z
        .string()
        .regex(/^[0-9A-Za-z-]{1,127}$/, "must be the name of a key: letters, digits and hyphens")
        .describe("Name of an EC key with the curve P-256."),
      vault: z
        .string()
        .exactOptional()
        .describe("Name of the vault. Required if several vaults are configured."),
    }),
  ).describe(
    "A key in Key Vault, of this deployment alone, that signs the ledger and remembers the last signed head, so that nobody who can only write to the journal can change a signed entry unnoticed. Default: the ledger is not signed.",
  ),
});
