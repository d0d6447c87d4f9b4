import { type Endpoint, type PayloadFormat, type TextFormName, textForms } from "../../target.ts";
import { ado, libpq, odbc, ofKey, type PairSyntax, readPairs } from "./pair-syntax.ts";
import type { Login, Parts, TextForm } from "./text-form.ts";
import { addToUrl, encode, readUrl, type Url, writeUrl } from "./url-syntax.ts";

type Render = TextForm["render"];
type Engine = "postgresql" | "mysql" | "sqlserver" | "mongodb" | "redis";

const defaultPorts: Readonly<Record<Engine, number>> = {
  postgresql: 5432,
  mysql: 3306,
  sqlserver: 1433,
  mongodb: 27017,
  redis: 6379,
};

/** Azure DocumentDB refuses writes that a driver may retry. */
const documentDb = /\.mongocluster\.cosmos\.azure\.(com|us|cn)$/i;

/** The row of a form and a system. Absent: the clients of the system have no such form, or each of them has another. */
const forms: Readonly<Record<TextFormName, Partial<Record<Engine, TextForm>>>> = {
  uri: {
    postgresql: urlForm("postgresql", /^postgres(ql)?$/i, (address, login) => ({
      ...{ scheme: "postgresql", login, host: writeHost(address), database: address.database },
      query: { sslmode: modeOf(address, "verify-full", "disable") },
    })),
    mongodb: urlForm("mongodb", /^mongodb(\+srv)?$/i, (address, login) => {
      const { scheme = "mongodb", ...more } = address.more ?? {};
      const isSrv = scheme === "mongodb+srv";
      const host = address.members?.join(",") ?? writeHost(address);
      return {
        ...{ scheme, login, database: address.database },
        host: isSrv ? address.host : host,
        query: { ...more, ...(documentDb.test(address.host) && { retryWrites: "false" }) },
      };
    }),
    redis: {
      ...urlForm("redis", /^rediss?$/i, (address, login) => ({
        scheme: modeOf(address, "rediss", "redis"),
        ...{ login, host: writeHost(address), query: {} },
      })),
      defaultAccount: "default",
    },
  },
  jdbc: {
    postgresql: urlForm("postgresql", /^jdbc:postgresql$/i, (address, login) => ({
      ...{ scheme: "jdbc:postgresql", host: writeHost(address), database: address.database },
      query: {
        ...toUser(login),
        // The authorities of the JVM; without this, the driver reads a file in the home folder.
        ...(address.tls === false
          ? { sslmode: "disable" }
          : { sslmode: "verify-full", sslfactory: "org.postgresql.ssl.DefaultJavaSSLFactory" }),
      },
    })),
    mysql: urlForm("mysql", /^jdbc:mysql$/i, (address, login) => ({
      ...{ scheme: "jdbc:mysql", host: writeHost(address), database: address.database },
      query: { ...toUser(login), sslMode: modeOf(address, "VERIFY_IDENTITY", "DISABLED") },
    })),
    sqlserver: sqlServerJdbc(),
  },
  ado: {
    postgresql: pairForm("postgresql", ado, (address, login) => ({
      ...{ Host: address.host, Port: String(address.port), Database: address.database },
      ...{ Username: login.username, Password: login.password },
      "SSL Mode": modeOf(address, "VerifyFull", "Disable"),
    })),
    mysql: pairForm("mysql", ado, (address, login) => ({
      ...{ Server: address.host, Port: String(address.port), Database: address.database },
      ...{ "User ID": login.username, Password: login.password },
      SslMode: modeOf(address, "VerifyFull", "Disabled"),
    })),
    sqlserver: pairForm("sqlserver", ado, (address, login) => ({
      ...{ Server: `tcp:${address.host},${address.port}`, Database: address.database },
      ...{ "User ID": login.username, Password: login.password },
      ...{ Encrypt: "True", TrustServerCertificate: "False" },
    })),
  },
  odbc: {
    postgresql: {
      ...pairForm("postgresql", psqlOdbc(), (address, login) => ({
        Driver: "PostgreSQL Unicode",
        ...{ Server: address.host, Port: String(address.port), Database: address.database },
        ...{ UID: login.username, PWD: login.password },
        SSLmode: modeOf(address, "verify-full", "disable"),
      })),
      findUnfit: ({ database = "none" }, accounts) =>
        [database, ...accounts].every((name) => /^[^\s;{}]([^;{}]*[^\s;{}])?$/.test(name))
          ? undefined
          : "psqlODBC has no quotes for names of accounts and databases, so they must not contain a semicolon or a brace",
    },
    sqlserver: pairForm("sqlserver", { ...odbc, plainKeys: ["server"] }, (address, login) => ({
      Driver: "ODBC Driver 18 for SQL Server",
      ...{ Server: `tcp:${address.host},${address.port}`, Database: address.database },
      ...{ UID: login.username, PWD: login.password },
      ...{ Encrypt: "yes", TrustServerCertificate: "no" },
    })),
  },
  libpq: {
    postgresql: pairForm("postgresql", libpq, (address, login) => ({
      ...{ host: address.host, port: String(address.port), dbname: address.database },
      ...{ user: login.username, password: login.password },
      sslmode: modeOf(address, "verify-full", "disable"),
    })),
  },
  sqlalchemy: {
    postgresql: sqlAlchemy(
      "postgresql",
      /^postgresql(\+\w+)?$/i,
      "postgresql+psycopg",
      (address) => ({
        sslmode: modeOf(address, "verify-full", "disable"),
      }),
    ),
    mysql: sqlAlchemy("mysql", /^(mysql|mariadb)(\+\w+)?$/i, "mysql+pymysql", ({ tls }) =>
      tls === false ? {} : { ssl_verify_cert: "true", ssl_verify_identity: "true" },
    ),
    sqlserver: sqlAlchemy("sqlserver", /^mssql(\+\w+)?$/i, "mssql+pyodbc", () => ({
      driver: "ODBC Driver 18 for SQL Server",
      ...{ Encrypt: "yes", TrustServerCertificate: "no" },
    })),
  },
};

/** Undefined for JSON, the password alone, and the connection string of a service; and where the system has no such form. */
export function findForm(as: PayloadFormat, engine: string): TextForm | undefined {
  const name = textForms.find((one) => one === as);
  const rows: Readonly<Partial<Record<string, TextForm>>> = name ? forms[name] : {};
  return Object.hasOwn(rows, engine) ? rows[engine] : undefined;
}

/** The forms that a system has. */
export function listForms(engine: string): readonly TextFormName[] {
  return textForms.filter((name) => findForm(name, engine) !== undefined);
}

function modeOf({ tls }: Endpoint, verified: string, plain: string): string {
  return tls === false ? plain : verified;
}

function writeHost({ host, port }: Pick<Endpoint, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function toUser({ username, password }: Login): Record<string, string> {
  return { user: username, password };
}

function urlForm(
  engine: Engine,
  schemes: RegExp,
  toUrl: (...given: Parameters<Render>) => Url,
): TextForm {
  return {
    render: (address, login) => writeUrl(toUrl(address, login)),
    read: (text) => withCommonNames(readUrl(text, schemes)),
    add: addToUrl,
    defaultPort: defaultPorts[engine],
  };
}

function sqlAlchemy(
  engine: Engine,
  schemes: RegExp,
  scheme: string,
  toQuery: (address: Endpoint) => Readonly<Record<string, string>>,
): TextForm {
  const form = urlForm(engine, schemes, (address, login) => ({
    ...{ scheme, login, host: writeHost(address), database: address.database },
    query: toQuery(address),
  }));
  return {
    ...form,
    findUnfit: ({ database = "" }) =>
      encode(database) === database
        ? undefined
        : "versions of SQLAlchemy read special characters in the name of a database differently",
  };
}

function pairForm(
  engine: Engine,
  syntax: PairSyntax,
  toValues: (...given: Parameters<Render>) => Readonly<Record<string, string | undefined>>,
): TextForm {
  const { separator } = syntax;
  return {
    render: (address, login) => writePairs(syntax, toValues(address, login)),
    read: (text) => withCommonNames(readAllPairs(text, 0, syntax)),
    add: (text, whole) => `${text.replace(/[;\s]+$/, "")}${separator}${whole}`,
    defaultPort: defaultPorts[engine],
  };
}

function writePairs(
  syntax: PairSyntax,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return Object.entries(values)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${ofKey(name, syntax).write(value)}`],
    )
    .join(syntax.separator);
}

function readAllPairs(text: string, start: number, syntax: PairSyntax): Parts | undefined {
  if (/[\r\n]/.test(text)) return undefined;
  const pairs = readPairs(text, start, syntax);
  return pairs.length === 0 ? undefined : pairs.map(({ key, ...part }) => ({ name: key, ...part }));
}

/** The driver removes braces from the password only, and decodes percent and plus signs in a password without them. */
function psqlOdbc(): PairSyntax {
  return {
    ...odbc,
    plainKeys: ["server", "servername", "uid", "username", "database"],
    read: (raw) => (/^[^{]*[%+]/.test(raw) ? undefined : odbc.read(raw)),
  };
}

function sqlServerJdbc(): TextForm {
  const form = pairForm("sqlserver", odbc, (address, login) => ({
    databaseName: address.database,
    ...toUser(login),
    ...{ encrypt: "true", trustServerCertificate: "false" },
  }));
  return {
    ...form,
    render: (address, login) =>
      `jdbc:sqlserver://${writeHost(address)};${form.render(address, login)}`,
    read(text) {
      const [all, before = "", host = ""] = /^(jdbc:sqlserver:\/\/)([^;]*);/i.exec(text) ?? [];
      const pairs = all === undefined ? undefined : readAllPairs(text, all.length, odbc);
      const from = before.length;
      const field = { value: host, from, to: from + host.length, write: (next: string) => next };
      return withCommonNames(pairs && [{ name: "host", field }, ...pairs]);
    },
  };
}

/** Names that clients of one family use for the same thing. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  username: ["user", "userid", "uid"],
  password: ["pwd"],
  host: ["server", "datasource", "address", "addr", "networkaddress", "servername"],
  database: ["initialcatalog", "dbname", "databasename"],
};

const commonNames = new Map(
  Object.entries(synonyms).flatMap(([name, others]) => others.map((other) => [other, name])),
);

function withCommonNames(parts: Parts | undefined): Parts | undefined {
  return parts?.map((part) => ({ ...part, name: commonNames.get(part.name) ?? part.name }));
}
