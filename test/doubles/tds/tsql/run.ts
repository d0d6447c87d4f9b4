import {
  hasDatabasePermission,
  isAzureDatabase,
  type TdsSession,
  type World,
} from "../model.ts";
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

function runStatement(reader: Reader, scope: Scope): ResultSet[] {
  const { variables, world, session } = scope;
  if (reader.takes("SET")) skipSetting(reader);
  else if (reader.takes("DECLARE")) {
    const name = reader.take().text.toLowerCase();
    parseType(reader);
    reader.expect("=");
    variables.set(name, parseExpression(reader)(scope));
  } else if (reader.takes("IF")) {
    const condition = parseExpression(reader);
    const isMet = condition(scope) === 1;
    reader.expect("THROW");
    const number = parseExpression(reader)(scope);
    reader.expect(",");
    const message = parseExpression(reader)(scope);
    reader.expect(",");
    reader.take();
    if (isMet) throw error(Number(number), String(message));
  } else if (reader.takes("EXEC", "sys", ".", "sp_executesql")) {
    const inner = parseExpression(reader)(scope);
    // Nothing is run, and nothing is reported.
    if (inner !== null) return runBatch(world, session, String(inner));
  } else if (reader.takes("SELECT")) return [select(reader, scope)];
  else if (reader.takes("ALTER", "LOGIN")) alterLogin(reader, scope);
  else if (reader.takes("ALTER", "USER")) alterUser(reader, scope);
  else if (reader.takes("ALTER", "SERVER", "ROLE")) alterServerRole(reader, scope);
  else if (reader.takes("CREATE", "LOGIN")) createLogin(reader, scope);
  else if (reader.takes("CREATE", "USER")) createUser(reader, scope);
  else if (reader.takes("GRANT")) grant(reader, scope);
  else if (reader.takes("DBCC", "FLUSHAUTHCACHE")) flushLogins(scope);
  else throw syntaxError(reader.next.text);
  return [];
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

function flushLogins({ world, session }: Scope): void {
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
