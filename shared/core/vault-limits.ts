/** The limits of Key Vault for one version of a secret. */
export const vaultLimits = {
  valueBytes: 25 * 1024,
  tags: 15,
  tagCharacters: 512,
  contentTypeCharacters: 255,
} as const;
