/** Control characters, line separators, and characters that reverse or hide the text around them. */
export const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
