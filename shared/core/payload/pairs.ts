import { type Field, type Fields, takeOnlyField } from "./field.ts";
import { toPlainName } from "./names.ts";

const accountKeys = ["user", "userid", "uid", "username"];
const passwordKeys = ["password", "pwd"];
const otherKeys = (
  "server datasource address addr networkaddress host hostaddr hostname port database initialcatalog dbname " +
  "databasename driver dsn provider service sslmode ssl encrypt trustservercertificate integratedsecurity " +
  "applicationname targetsessionattrs accountname accountkey accountendpoint endpoint defaultendpointsprotocol " +
  "endpointsuffix sharedaccesskeyname sharedaccesskey"
).split(" ");
const knownKeys = new Set([...accountKeys, ...passwordKeys, ...otherKeys]);

interface Pair {
  readonly key: string;
  /** The value as written, with its quotation marks. */
  readonly raw: string;
  readonly from: number;
}

/** The separators and quotes of one family of connection strings. */
interface Dialect {
  readonly pair: RegExp;
  /** Undefined when different drivers read the value differently. */
  readonly read: (raw: string) => string | undefined;
  readonly write: (value: string) => string;
}

const ado: Dialect = {
  pair: /[;\s]*([^=;\s"'{}][^=;"'{}]*)=\s*("(?:[^"]|"")*"\s*(?=;|$)|'(?:[^']|'')*'\s*(?=;|$)|[^;]*)/y,
  read(raw) {
    if (raw.startsWith("{")) return undefined;
    return raw.startsWith("'")
      ? stripQuotes(raw, /^'((?:[^']|'')*)'$/, "'")
      : stripQuotes(raw, /^"((?:[^"]|"")*)"$/, '"');
  },
  write: (value) => (/^$|[;"'={}\s]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value),
};

/** The dialect of ODBC and of SQL Server's JDBC driver. */
const odbc: Dialect = {
  pair: /[;\s]*([^=;\s"'{}][^=;"'{}]*)=\s*(\{(?:[^}]|\}\})*\}\s*(?=;|$)|[^;]*)/y,
  read: (raw) => (/^["']/.test(raw) ? undefined : stripQuotes(raw, /^\{((?:[^}]|\}\})*)\}$/, "}")),
  write: (value) =>
    /^$|[[\]{}(),;?*=!@"'\s]/.test(value) ? `{${value.replaceAll("}", "}}")}}` : value,
};

/** The dialect of libpq and of the programs that use it. */
const libpq: Dialect = {
  pair: /\s*([a-z_][a-z_0-9]*)\s*=\s*('(?:[^'\\]|\\[^])*'(?=\s|$)|(?:[^\s'\\]|\\[^])*(?=\s|$))/iy,
  read(raw) {
    if (raw.startsWith('"')) return undefined;
    return (raw.startsWith("'") ? raw.slice(1, -1) : raw).replaceAll(/\\([^])/g, "$1");
  },
  write(value) {
    const escaped = value.replaceAll(/['\\]/g, String.raw`\$&`);
    return /^$|^"|\s/.test(value) ? `'${escaped}'` : escaped;
  },
};

/**
 * The account and password of a text that consists, from `start` on, of pairs of name and value in one line. Undefined unless two
 * different names are known from connection strings: a text with fewer may be a password.
 */
export function readLoginPairs(text: string, start = 0): Login | undefined {
  if (/[\r\n]/.test(text)) return undefined;
  const readings = (start > 0 ? [odbc] : [odbc, ado, libpq])
    .map((dialect) => readAs(dialect, text, start))
    .filter((reading) => reading !== undefined);
  return readings.find(({ account, password }) => account && password) ?? readings[0];
}

interface Login {
  readonly account?: Field;
  readonly password?: Field;
}

function readAs(dialect: Dialect, text: string, start: number): Login | undefined {
  const pairs = readPairs(text, start, dialect);
  const known = new Set(pairs.map(({ key }) => key).filter((key) => knownKeys.has(key)));
  const isJdbc = start > 0;
  const isMeant = dialect !== odbc || isJdbc || known.has("driver") || known.has("dsn");
  if (!isMeant || known.size < (isJdbc ? 1 : 2)) return undefined;
  const fields = (names: readonly string[]): Fields =>
    pairs.filter(({ key }) => names.includes(key)).map((pair) => findField(pair, dialect));
  return {
    ...takeOnlyField("account", fields(accountKeys)),
    ...takeOnlyField("password", fields(passwordKeys)),
  };
}

/** Empty unless the whole text consists of pairs. */
function readPairs(text: string, start: number, { pair }: Dialect): Pair[] {
  const pattern = new RegExp(pair);
  pattern.lastIndex = start;
  const pairs: Pair[] = [];
  let end = start;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const [all, key = "", raw = ""] = found;
    end = found.index + all.length;
    pairs.push({ key: toPlainName(key), raw: raw.trimEnd(), from: end - raw.length });
  }
  return /^[;\s]*$/.test(text.slice(end)) ? pairs : [];
}

function findField({ raw, from }: Pair, { read, write }: Dialect): Field | undefined {
  const value = read(raw);
  return value === undefined ? undefined : { value, from, to: from + raw.length, write };
}

/** The value without its quotes; undefined when a quotation mark has no partner. */
function stripQuotes(raw: string, quoted: RegExp, quote: string): string | undefined {
  const [, inside] = quoted.exec(raw) ?? [];
  if (inside !== undefined) return inside.replaceAll(quote + quote, quote);
  return raw.startsWith(quote === "}" ? "{" : quote) ? undefined : raw;
}
