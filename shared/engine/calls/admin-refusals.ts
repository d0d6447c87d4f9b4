import { addRefusal } from "../../core/looks/guesses.ts";
import type { Refusal } from "../../core/record/record.ts";

/** Refused log-ins of admins, counted over all targets of this process because they share the admin's account. */
export interface AdminRefusals {
  list(): readonly Refusal[];
  note(refusal: Refusal): void;
  clear(version: string): void;
}

export function makeAdminRefusals(): AdminRefusals {
  let refusals: readonly Refusal[] = [];
  return {
    list: () => refusals,
    note(refusal) {
      refusals = addRefusal(refusals, refusal);
    },
    clear(version) {
      refusals = refusals.filter((one) => one.version !== version);
    },
  };
}
