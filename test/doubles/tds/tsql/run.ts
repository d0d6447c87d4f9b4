import { hasDatabasePermission, isAzureDatabase, type TdsSession, type World } from "../model.ts";
import { alterLogin, alterUser } from "./alter.ts";
import { alterServerRole, createLogin, createUser, grant } from "./create.ts";
import { parseExpression, parseQuery, parseType, runQuery } from "./expressions.ts";
import { Reader, syntaxError, tokenize } from "./lex.ts";
import { error, type Scope, type Value } from "./scope.ts";

/** The result of one SELECT. */
export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

/** Runs a batch. Throws SqlError; what the statements before have done stays done. */
export function runBatch(
  world: World,
  session: TdsSession,
  text: string,
  parameters: ReadonlyMap<string, Value> = new Map(),
): ResultSet[] {
  const reader = new Reader(tokenize(text));
  const scope: Scope = { world, session, variables: new Map(parameters) };
  const results: ResultSet[] = [];
  while (reader.next.is !== "end") {
    if (!reader.takes(";")) results.push(...runStatement(reader, scope));
  }
  return results;
}

type Run = (reader: Reader, scope: Scope) => readonly ResultSet[] | undefined;

/** A statement without a result. */
function silent(run: (reader: Reader, scope: Scope) => void): Run {
  return (reader, scope) => {
    run(reader, scope);
    return undefined;
  };
}

/** Statements by their first words, longer ones first. */
const known: readonly (readonly [words: readonly string[], run: Run])[] = [
  [["ALTER", "SERVER", "ROLE"], silent(alterServerRole)],
  [["ALTER", "LOGIN"], silent(alterLogin)],
  [["ALTER", "USER"], silent(alterUser)],
  [["CREATE", "LOGIN"], silent(createLogin)],
  [["CREATE", "USER"], silent(createUser)],
  [["DBCC", "FLUSHAUTHCACHE"], silent(flushLogins)],
  [["DECLARE"], silent(declare)],
  [["EXEC", "sys", ".", "sp_executesql"], execute],
  [["GRANT"], silent(grant)],
  [["IF"], silent(throwIf)],
  [["SELECT"], (reader, scope) => [select(reader, scope)]],
  [["SET"], silent(skipSetting)],
];

function runStatement(reader: Reader, scope: Scope): readonly ResultSet[] {
  const found = known.find(([words]) => reader.takes(...words));
  if (found === undefined) throw syntaxError(reader.next.text);
  const [, run] = found;
  return run(reader, scope) ?? [];
}

/** `@name type = value` */
function declare(reader: Reader, scope: Scope): void {
  const name = reader.take().text.toLowerCase();
  parseType(reader);
  reader.expect("=");
  scope.variables.set(name, parseExpression(reader)(scope));
}

/** `condition THROW number, message, state` */
function throwIf(reader: Reader, scope: Scope): void {
  const isMet = parseExpression(reader)(scope) === 1;
  reader.expect("THROW");
  const number = parseExpression(reader)(scope);
  reader.expect(",");
  const message = parseExpression(reader)(scope);
  reader.expect(",");
  reader.take();
  if (isMet) throw error(Number(number), String(message));
}

/** A statement that is NULL does nothing, and is no error. */
function execute(reader: Reader, scope: Scope): readonly ResultSet[] {
  const inner = parseExpression(reader)(scope);
  return inner === null ? [] : runBatch(scope.world, scope.session, String(inner));
}

function select(reader: Reader, scope: Scope): ResultSet {
  const query = parseQuery(reader);
  return { columns: query.columns.map(({ name }) => name), rows: runQuery(query, scope) };
}

const statements = /^(?:SET|SELECT|DECLARE|IF|EXEC|ALTER|DBCC)$/i;

/** No setting changes anything here. */
function skipSetting(reader: Reader): void {
  while (reader.next.is !== "end" && reader.next.text !== ";") {
    const { is, text } = reader.next;
    if (is === "word" && statements.test(text)) return;
    reader.take();
  }
}

function flushLogins(_reader: Reader, { world, session }: Scope): void {
  if (!isAzureDatabase(world) || session.database.name === "master") {
    throw error(
      2526,
      "Incorrect DBCC statement. Check the documentation for the correct DBCC syntax and options.",
    );
  }
  if (!hasDatabasePermission(session, "KILL DATABASE CONNECTION")) {
    throw error(
      2571,
      `User '${session.account}' does not have permission to run DBCC FLUSHAUTHCACHE.`,
    );
  }
  for (const login of world.logins.values()) login.lagging = undefined;
}
