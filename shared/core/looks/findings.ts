/** A result of the checks before a change, as a sentence for an operator. */
export interface Finding {
  /** The subject of the sentence. */
  readonly about: "published secret" | "credential" | "account" | "authority";
  /** `proven`: the system itself has just confirmed it. `likely`: only the change itself could prove it. `warning`: see the sentence. */
  readonly is: "proven" | "likely" | "unknown" | "warning" | "refused";
  readonly sentence: string;
}

/** Joins the findings, those that are not proven first, because an operator must read them. */
export function describeFindings(findings: readonly Finding[]): string {
  const order = ["refused", "warning", "unknown", "likely", "proven"] as const;
  return [...findings]
    .sort((a, b) => order.indexOf(a.is) - order.indexOf(b.is))
    .map(({ is, sentence }) => `${is}: ${sentence}`)
    .join("; ");
}
