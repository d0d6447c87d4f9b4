import { parsePayload } from "../../shared/core/payload/payload.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { GivenInput } from "../../shared/engine/inbox/given.ts";
import { type ImportInput, importSecret } from "../../shared/engine/inbox/import.ts";
import { requestUndo } from "../../shared/engine/inbox/undo.ts";
import { type Gate, open, type World } from "./world.ts";

export const issued = "issued-elsewhere-4711";
const by = {
  requestedBy: "anna",
  justification: { reason: "the vendor issued a new key", ticket: "INC-7" },
};

/** What a person does with secrets that Keyturn does not generate. Each returns the whole answer. */
export function importInto(world: World, wanted: Partial<ImportInput> = {}, gate: Gate = open) {
  const input = { ...by, value: new Secret(issued), mayApply: true, ...wanted };
  return importSecret(world.ports(gate), world.target, input);
}

export function undo(world: World, wanted: Partial<GivenInput> = {}, gate: Gate = open) {
  return requestUndo(world.ports(gate), world.target, { ...by, ...wanted });
}

/** The rotation of an accepted import or undo. */
export async function accepted(result: Promise<object>): Promise<string> {
  const found = await result;
  if ("rotationId" in found) return String(found.rotationId);
  throw new Error(JSON.stringify(found));
}

/** The account and the password that consumers read now. */
export function publishedIn(world: World) {
  const newest = world.vault.versions("app-db").at(-1);
  const found = newest && parsePayload(newest.value, world.kind.accounts);
  return { account: found?.account, password: found?.secret.reveal() };
}

export function passwordOf(world: World, account: string): string | undefined {
  return world.system.passwords.get(account)?.reveal();
}
