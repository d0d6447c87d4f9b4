import type { LedgerEntry } from "../ledger/entry.ts";
import type { OperatorFreeze } from "./operator-freeze.ts";

/** To which targets the freeze applies, and when, for the ledger. */
export function describeFreeze({
  id,
  from,
  until,
  lift,
  selection,
}: OperatorFreeze): Pick<LedgerEntry, "targets" | "selection" | "detail"> {
  const { targets, policy, type, vault, tags = [] } = selection;
  const parts = [
    targets && (targets.length === 1 ? "1 target by id" : `${targets.length} targets by id`),
    policy === undefined ? undefined : `policy ${policy}`,
    type === undefined ? undefined : `type ${type}`,
    vault === undefined ? undefined : `vault ${vault}`,
    ...tags.map(([name, value]) => `tag ${name}=${value}`),
  ].filter((part) => part !== undefined);
  const lifted = lift.length === 0 ? "lifted by nothing" : `lifted by ${lift.join(", ")}`;
  return {
    ...(targets && { targets }),
    selection: parts.length === 0 ? "every target" : parts.join(", "),
    detail: `freeze ${id} from ${from} until ${until}, ${lifted}`,
  };
}
