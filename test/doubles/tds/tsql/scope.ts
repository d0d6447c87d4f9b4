import type { TdsSession, World } from "../model.ts";
import { SqlError } from "./lex.ts";

export type Value = string | number | null;
export type Row = ReadonlyMap<string, Value>;

export interface Scope {
  readonly world: World;
  readonly session: TdsSession;
  readonly variables: Map<string, Value>;
  readonly row?: Row;
}

export function error(number: number, message: string, severity = 16): SqlError {
  return new SqlError({ number, state: 1, severity, message });
}
