import { databaseFaults } from "./faults/database.ts";
import type { Fault } from "./faults/fault.ts";
import { hostFaults } from "./faults/hosts.ts";
import { personFaults } from "./faults/persons.ts";
import { storageFaults } from "./faults/storage.ts";
import { vaultFaults } from "./faults/vault.ts";

/** All faults of the soak. */
export const faults: readonly Fault[] = [
  ...hostFaults,
  ...databaseFaults,
  ...storageFaults,
  ...vaultFaults,
  ...personFaults,
];

/** Selects faults whose name contains one of the parts. Throws when a part matches none. */
export function faultsNamed(parts: readonly string[]): readonly Fault[] {
  for (const part of parts) {
    if (faults.some(({ name }) => name.includes(part))) continue;
    const known = faults.map(({ name }) => `  ${name}`).join("\n");
    throw new Error(`No fault is named "${part}". Known faults:\n${known}`);
  }
  return faults.filter(({ name }) => parts.some((part) => name.includes(part)));
}
