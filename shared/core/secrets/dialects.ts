export const dialects = [
  "ado",
  "odbc",
  "jdbc",
  "libpq",
  "uri",
  "yaml",
  "json",
  "shell",
  "env",
] as const;
export type Dialect = (typeof dialects)[number];

/**
 * Characters that have, or could have, a special meaning in an unquoted password in a connection string of this kind.
 */
const special: Readonly<Record<Dialect, string>> = {
  /** ADO.NET: `Password=…;`. Some parsers of it read a brace at the beginning as a quote. */
  ado: "'\";={",
  /** ODBC: `PWD=…;` */
  odbc: "[]{}(),;?*=!@",
  /** JDBC: `…;password=…` of SQL Server, `?password=…` of the others */
  jdbc: "{};&%+#?=\\\"'",
  /** libpq: `password=…` */
  libpq: "'\\=",
  /** Between `:` and `@` of an address, or in its query: all but the unreserved characters */
  uri: "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}",
  /** A plain YAML scalar, in any position */
  yaml: "!\"#%&'*,:<=>?@[\\]`{|}",
  json: '"\\',
  /** A POSIX shell word */
  shell: "!\"#$&'()*;<=>?[\\]^`{|}~",
  /** A line of an environment file */
  env: "\"#$'\\`=",
};

export function listSpecialCharacters(dialect: Dialect): string {
  return special[dialect];
}
