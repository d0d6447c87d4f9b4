/** What a look before a change has found out, as a sentence for an operator. */
export interface Finding {
  /** What the sentence is about. */
  readonly about: "published secret" | "credential" | "account" | "authority";
  /** `proven`: the system itself showed it a moment ago. `likely`: it cannot be proven without acting. */
  readonly is: "proven" | "likely" | "unknown" | "refused";
  readonly sentence: string;
}

/** The sentences of what is not proven first: they are what an operator must read. */
export function describeFindings(findings: readonly Finding[]): string {
  const order = ["refused", "unknown", "likely", "proven"] as const;
  return [...findings]
    .sort((a, b) => order.indexOf(a.is) - order.indexOf(b.is))
    .map(({ is, sentence }) => `${is}: ${sentence}`)
    .join("; ");
}
