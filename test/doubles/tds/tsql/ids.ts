/** Ids of everything that has only a name in this double: roles, schemas, tables as `schema.table`, and columns. */
const names: string[] = [];
const firstId = 16_384;

export function toNameId(name: string): number {
  const at = names.indexOf(name);
  return firstId + (at === -1 ? names.push(name) - 1 : at);
}

export const findName = (id: unknown): string | null => names[Number(id) - firstId] ?? null;
