import { z } from "zod";
import { defaultCreates, mostCreates } from "../../core/fleet/pace.ts";
import { isVaultHost, vaultSuffixes } from "../../core/secrets/addresses.ts";
import { webAddress } from "./fields.ts";

/** `https://orders.vault.azure.net`, without a slash at the end. */
const vaultUrl = webAddress
  .refine((text) => {
    const url = URL.parse(text);
    return url === null || (url.pathname === "/" && url.search === "");
  }, "must be the address of the vault alone, such as https://orders.vault.azure.net")
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
        "Name of another vault, in which new secrets wait until they are published in this one. A vault creates 300 versions in 10 seconds, " +
          "and a rotation creates two; with the pending one elsewhere, twice as many rotations fit.",
      ),
    createsPer10s: z
      .int()
      .min(2, "must be at least 2: a rotation creates two versions")
      .max(mostCreates, `must be at most ${mostCreates}, which is what Key Vault allows`)
      .exactOptional()
      .describe(
        `Versions that Keyturn may create in this vault in 10 seconds, all instances together. Default ${defaultCreates}; ` +
          "less, if others create secrets, keys or certificates in it as well.",
      ),
  })
  .describe("One Azure Key Vault.");
