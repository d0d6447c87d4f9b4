import { z } from "zod";
import { defaultCreates, maxCreates } from "../../core/fleet/vault-limit.ts";
import { isVaultHost, vaultSuffixes } from "../../core/secrets/addresses.ts";
import { webAddress } from "./fields.ts";

/** The address of a vault, parsed to its origin: `https://orders.vault.azure.net`, without a slash at the end. */
const vaultUrl = webAddress
  .refine((text) => {
    const url = URL.parse(text);
    return url === null || (url.pathname === "/" && url.search === "");
  }, "must be the address of a vault without a path, such as https://orders.vault.azure.net")
  .refine(
    (text) => {
      const url = URL.parse(text);
      return url === null || isVaultHost(url);
    },
    `must be https://NAME followed by .${vaultSuffixes.join(", .")}`,
  )
  .transform((text) => new URL(text).origin);

export const vaultSchema = z
  .strictObject({
    url: vaultUrl.describe("Address of the vault, such as https://orders.vault.azure.net."),
    pending: z
      .string()
      .exactOptional()
      .describe(
        "Name of another vault, which stores pending secrets until they are published in this vault. A vault allows 300 new versions in " +
          "10 seconds, and a rotation creates two. A separate vault for pending secrets doubles the number of possible rotations.",
      ),
    createsPer10s: z
      .int()
      .min(2, "must be at least 2, because a rotation creates two versions")
      .max(maxCreates, `must be at most ${maxCreates}, which is the limit of Key Vault`)
      .exactOptional()
      .describe(
        `Versions that all instances of Keyturn together may create in this vault in 10 seconds. Default: ${defaultCreates}. ` +
          "Use a lower number if other clients also create secrets, keys or certificates in the vault.",
      ),
  })
  .describe("One Azure Key Vault.");
