import type { Endpoint } from "../../core/target.ts";
import { openConnection, type SqlPlace } from "../common/sql-server/sql-server-connection.ts";
import { mongodb } from "../mongodb/mongodb.ts";
import { isAzureDocumentDb } from "../mongodb/mongodb-services.ts";
import { mysql } from "../mysql/mysql.ts";
import { postgresql } from "../postgresql/postgresql.ts";
import type { Check, Rotator } from "../rotator.ts";

/** How a consumer logs in to each kind of server. The code for it belongs to the rotators of these systems. */

/** The address of a server and the database that consumers use. */
export interface AdminPlace {
  readonly host: string;
  readonly port: number;
  /** Absent: the default of the system. */
  readonly database?: string;
  readonly tls: SqlPlace["tls"];
}

export interface PlaceProblem {
  /** Begins at the options. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface LogIn {
  /** Where the server listens. */
  readonly port: number;
  /** The part of the server in which account names are unique. */
  readonly realm: string;
  endpoint(place: AdminPlace): Endpoint;
  /** Why nobody can log in at this place. */
  findProblems(place: AdminPlace): readonly PlaceProblem[];
  verify(
    place: AdminPlace,
    check: Omit<Check<unknown>, "options">,
    signal: AbortSignal,
  ): Promise<"accepted" | "rejected">;
}

export const sqlServerLogIn: LogIn = {
  port: 1433,
  realm: "",

  endpoint: (place) => {
    const { host, port, database } = toSqlPlace(place);
    return { engine: "sqlserver", host, port, database };
  },

  findProblems: () => [],

  async verify(place, { credential, connectWithin }, signal) {
    const at = toSqlPlace(place);
    const where = `SQL Server at ${at.host}:${at.port}, database ${at.database}, account ${credential.account}`;
    const opened = await openConnection(at, credential, { where, signal, connectWithin });
    if (opened === "rejected") return opened;
    opened.close();
    return "accepted";
  },
};

const toSqlPlace = ({ host, port, database = "master", tls }: AdminPlace): SqlPlace => ({
  ...{ host, port, database, tls },
});

/** PgBouncer, which Azure runs beside the server. */
const poolerPort = 6432;

export const postgresqlLogIn: LogIn = {
  ...through(postgresql, toServer, 5432),
  findProblems: (place) =>
    place.port === poolerPort
      ? [
          {
            path: ["port"],
            message:
              "must not be that of PgBouncer, through which no change can be verified; write 5432",
          },
        ]
      : findOptionProblems(postgresql, toServer(place)),
};

export const mysqlLogIn = through(mysql, toServer, 3306);

/** Only DNS knows the servers behind a host of Azure. Another host is a server itself, such as an emulator. */
export const documentDbLogIn: LogIn = {
  ...through(
    mongodb,
    ({ host, port, ...rest }) =>
      isAzureDocumentDb(host)
        ? { srvHost: host, ...toDatabase(rest) }
        : { host, port, ...toDatabase(rest) },
    10_260,
  ),
  realm: "admin",
};

function toServer({ host, port, ...rest }: AdminPlace): object {
  return { host, port, ...toDatabase(rest) };
}

const toDatabase = ({ database, tls: { caFile } }: Pick<AdminPlace, "database" | "tls">) => ({
  ...(database !== undefined && { database }),
  tls: caFile === undefined ? {} : { caFile },
});

/** The log-in of another rotator. `toOptions` gives the options of that rotator. */
function through<Options>(
  rotator: Rotator<Options>,
  toOptions: (place: AdminPlace) => object,
  port: number,
): LogIn {
  const read = (place: AdminPlace) => rotator.options.parse(toOptions(place));
  return {
    port,
    realm: "",
    endpoint: (place) => rotator.endpoint(read(place)),
    findProblems: (place) => findOptionProblems(rotator, toOptions(place)),
    verify: (place, check, signal) => rotator.verify({ ...check, options: read(place) }, signal),
  };
}

function findOptionProblems<Options>(
  rotator: Rotator<Options>,
  options: object,
): readonly PlaceProblem[] {
  const issues = rotator.options.safeParse(options).error?.issues ?? [];
  return issues.map(({ path, message }) => ({
    path: path[0] === "srvHost" ? ["host"] : path,
    message,
  }));
}
