import type { TdsSession, World } from "../model.ts";
import { callFunction } from "./functions.ts";
import { type Reader, syntaxError } from "./lex.ts";
import { error, type Row, type Scope, type Value } from "./scope.ts";
import { readView } from "./views.ts";

/** An expression that has been parsed. It is computed for each row. */
export type Expression = (scope: Scope) => Value;

/** UNKNOWN counts as false where it decides. */
const isTrue = (value: Value) => value === 1;
const fromBoolean = (value: boolean): Value => (value ? 1 : 0);

export function parseExpression(reader: Reader): Expression {
  let left = parseAnd(reader);
  while (reader.takes("OR")) {
    const [first, second] = [left, parseAnd(reader)];
    left = (scope) => fromBoolean(isTrue(first(scope)) || isTrue(second(scope)));
  }
  return left;
}

function parseAnd(reader: Reader): Expression {
  let left = parseComparison(reader);
  while (reader.takes("AND")) {
    const [first, second] = [left, parseComparison(reader)];
    left = (scope) => fromBoolean(isTrue(first(scope)) && isTrue(second(scope)));
  }
  return left;
}

function parseComparison(reader: Reader): Expression {
  const left = parseSum(reader);
  if (reader.takes("IS", "NOT", "NULL")) return (scope) => fromBoolean(left(scope) !== null);
  if (reader.takes("IS", "NULL")) return (scope) => fromBoolean(left(scope) === null);
  const isEqual = reader.takes("=");
  if (!isEqual && !reader.takes("<>")) return left;
  const right = parseSum(reader);
  return (scope) => {
    const [one, other] = [comparable(left(scope)), comparable(right(scope))];
    return one === null || other === null ? null : fromBoolean((one === other) === isEqual);
  };
}

/** The collation ignores case and blanks at the end. */
function comparable(value: Value): Value {
  return typeof value === "string" ? value.toLowerCase().replace(/ +$/, "") : value;
}

function parseSum(reader: Reader): Expression {
  let left = parsePrimary(reader);
  while (reader.takes("+")) {
    const [first, second] = [left, parsePrimary(reader)];
    left = (scope) => {
      const [one, other] = [first(scope), second(scope)];
      if (one === null || other === null) return null;
      return typeof one === "number" && typeof other === "number" ? one + other : `${one}${other}`;
    };
  }
  return left;
}

function parsePrimary(reader: Reader): Expression {
  if (reader.takes("(")) {
    const isQuery = reader.next.text.toUpperCase() === "SELECT";
    const inner = isQuery ? parseScalarQuery(reader) : parseExpression(reader);
    reader.expect(")");
    return inner;
  }
  if (reader.takes("NULL")) return () => null;
  if (reader.takes("CONVERT", "(")) return parseConvert(reader);
  const token = reader.take();
  switch (token.is) {
    case "string":
      return () => token.text;
    case "number":
      return () => Number(token.text);
    case "variable":
      return ({ variables, session, world }) => readVariable(token.text, variables, session, world);
    case "word":
      if (!token.quoted && reader.takes("(")) return parseCall(reader, token.text);
      return ({ row }) => readColumn(row, token.text);
    default:
      throw syntaxError(token.text);
  }
}

function readVariable(
  name: string,
  variables: Scope["variables"],
  session: TdsSession,
  world: World,
): Value {
  const key = name.toLowerCase();
  if (key === "@@spid") return session.id;
  if (key === "@@servername") return world.name;
  if (key === "@@version") return "Microsoft SQL Azure (RTM) - 12.0.2000.8";
  const value = variables.get(key);
  if (value === undefined) throw error(137, `Must declare the scalar variable "${name}".`);
  return value;
}

function readColumn(row: Row | undefined, name: string): Value {
  const value = row?.get(name.toLowerCase());
  if (value === undefined) throw error(207, `Invalid column name '${name}'.`);
  return value;
}

/** `CONVERT(type, value [, style])`, after the first bracket. */
function parseConvert(reader: Reader): Expression {
  const type = parseType(reader);
  reader.expect(",");
  const value = parseExpression(reader);
  if (reader.takes(",")) {
    const style = reader.take().text;
    if (style !== "1") throw syntaxError(style);
  }
  reader.expect(")");
  return (scope) => {
    const found = value(scope);
    if (found === null) return null;
    if (type === "int") return Number(found);
    return String(found);
  };
}

/** A type with its length, in lower case and without the length. */
export function parseType(reader: Reader): string {
  const type = reader.word().toLowerCase();
  if (reader.takes("(")) {
    reader.take();
    reader.expect(")");
  }
  if (!["int", "varchar", "nvarchar"].includes(type)) throw syntaxError(type);
  return type;
}

function parseCall(reader: Reader, name: string): Expression {
  const parameters: Expression[] = [];
  if (!reader.takes(")")) {
    do parameters.push(parseExpression(reader));
    while (reader.takes(","));
    reader.expect(")");
  }
  return (scope) =>
    callFunction(
      name,
      parameters.map((one) => one(scope)),
      scope,
    );
}

export interface Query {
  readonly columns: readonly { readonly name: string; readonly value: Expression }[];
  readonly isCount: boolean;
  readonly from: string | undefined;
  readonly where: Expression | undefined;
}

/** A SELECT, after that word. */
export function parseQuery(reader: Reader): Query {
  const isCount = reader.takes("COUNT", "(", "*", ")");
  const columns = isCount
    ? [{ name: parseAlias(reader) ?? "", value: () => null }]
    : parseColumns(reader);
  const from = reader.takes("FROM", "sys", ".") ? reader.word().toLowerCase() : undefined;
  const where = from !== undefined && reader.takes("WHERE") ? parseExpression(reader) : undefined;
  return { columns, isCount, from, where };
}

function parseColumns(reader: Reader): Query["columns"][number][] {
  const columns: Query["columns"][number][] = [];
  do {
    const { is, text } = reader.next;
    const value = parseExpression(reader);
    columns.push({ name: parseAlias(reader) ?? (is === "word" ? text : ""), value });
  } while (reader.takes(","));
  return columns;
}

function parseAlias(reader: Reader): string | undefined {
  return reader.takes("AS") ? reader.word() : undefined;
}

/** The rows of the result. */
export function runQuery({ columns, isCount, from, where }: Query, scope: Scope): Value[][] {
  const source = from === undefined ? [undefined] : readView(from, scope);
  const rows = source
    .map((row): Scope => (row === undefined ? scope : { ...scope, row }))
    .filter((one) => where === undefined || isTrue(where(one)));
  if (isCount) return [[rows.length]];
  return rows.map((one) => columns.map(({ value }) => value(one)));
}

function parseScalarQuery(reader: Reader): Expression {
  reader.expect("SELECT");
  const query = parseQuery(reader);
  return (scope) => {
    const rows = runQuery(query, scope);
    if (rows.length > 1) throw error(512, "Subquery returned more than 1 value.");
    return rows[0]?.[0] ?? null;
  };
}
