import { z } from "zod";
import { isVaultHost, vaultSuffixes } from "../core/addresses.ts";
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
  })
  .describe("One Azure Key Vault.");
