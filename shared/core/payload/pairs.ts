import { type Field, type Fields, takeOnlyField } from "./field.ts";
import { ado, libpq, odbc, type PairSyntax, readPairs } from "./texts/pair-syntax.ts";

const accountKeys = ["user", "userid", "uid", "username"];
const passwordKeys = ["password", "pwd"];
const otherKeys = (
  "server datasource address addr networkaddress host hostaddr hostname port database initialcatalog dbname " +
  "databasename driver dsn provider service sslmode ssl encrypt trustservercertificate integratedsecurity " +
  "applicationname targetsessionattrs accountname accountkey accountendpoint endpoint defaultendpointsprotocol " +
  "endpointsuffix sharedaccesskeyname sharedaccesskey"
).split(" ");
const knownKeys = new Set([...accountKeys, ...passwordKeys, ...otherKeys]);

/**
 * The account and password of a text that consists, from `start` on, of pairs of name and value in one line. Undefined unless two
 * different names are known from connection strings: a text with fewer may be a password.
 */
export function readLoginPairs(text: string, start = 0): Login | undefined {
  if (/[\r\n]/.test(text)) return undefined;
  const readings = (start > 0 ? [odbc] : [odbc, ado, libpq])
    .map((syntax) => readAs(syntax, text, start))
    .filter((reading) => reading !== undefined);
  return readings.find(({ account, password }) => account && password) ?? readings[0];
}

interface Login {
  readonly account?: Field;
  readonly password?: Field;
}

function readAs(syntax: PairSyntax, text: string, start: number): Login | undefined {
  const pairs = readPairs(text, start, syntax);
  const known = new Set(pairs.map(({ key }) => key).filter((key) => knownKeys.has(key)));
  const isJdbc = start > 0;
  const isMeant = syntax !== odbc || isJdbc || known.has("driver") || known.has("dsn");
  if (!isMeant || known.size < (isJdbc ? 1 : 2)) return undefined;
  const fields = (names: readonly string[]): Fields =>
    pairs.filter(({ key }) => names.includes(key)).map(({ field }) => field);
  return {
    ...takeOnlyField("account", fields(accountKeys)),
    ...takeOnlyField("password", fields(passwordKeys)),
  };
}
