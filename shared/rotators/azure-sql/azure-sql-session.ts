import type { Connection, Request as TediousRequest } from "tedious";
import type { Credential } from "../../core/secrets/secret.ts";
import { hearSignal } from "../common/connection/heard-signal.ts";
import type { Keepable } from "../common/connection/kept-sessions.ts";
import {
  type LogInCall,
  openConnection,
  type SqlLogin,
  type SqlPlace,
} from "../common/sql-server/sql-server-connection.ts";
import type { SqlFailure } from "../common/sql-server/sql-server-errors.ts";
import { requireFit } from "../common/sql-server/sql-server-passwords.ts";
import { describeAccount } from "./azure-sql-options.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A statement failed. It has no text of the server, which could contain a secret. */
export class StatementError extends Error {
  readonly failure: SqlFailure;

  constructor(failure: SqlFailure) {
    super("the statement failed");
    this.failure = failure;
  }
}

export interface Session extends Keepable {
  /** Runs T-SQL with parameters, and returns the rows of its last result. Rejects with StatementError. */
  query(text: string, values?: Readonly<Record<string, string>>): Promise<readonly Row[]>;
}

/** Opens a session on a new connection, or returns "rejected" if the server refuses the log-in. */
export async function openSession(
  place: SqlPlace,
  login: SqlLogin,
  call: LogInCall,
): Promise<Session | "rejected"> {
  const { Request, TYPES } = await import("tedious");
  const connection = await openConnection(place, login, call);
  if (connection === "rejected") return connection;
  const heard = hearSignal(call.signal, () => {
    connection.close();
  });
  const session: Session = {
    query(text, values = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>();
      const request = new Request(text, (error, _count, rows: unknown) => {
        if (error) reject(new StatementError(toFailure(error)));
        else resolve(toRows(rows));
      });
      for (const [name, value] of Object.entries(values)) {
        request.addParameter(name, TYPES.NVarChar, value);
      }
      execute(connection, request, reject);
      return promise;
    },
    rest: () => {
      heard.listen(undefined);
      connection.socket?.unref();
    },
    async resume(next) {
      connection.socket?.ref();
      heard.listen(next);
      try {
        await session.query("SELECT 1 AS one");
        return true;
      } catch {
        await session.close();
        return false;
      }
    },
    close: () => {
      heard.listen(undefined);
      connection.close();
      return Promise.resolve();
    },
  };
  return session;
}

/** The driver throws when the connection has ended since the last statement. */
function execute(
  connection: Connection,
  request: TediousRequest,
  reject: (error: Error) => void,
): void {
  try {
    connection.execSql(request);
  } catch (error) {
    reject(new StatementError({ numbers: [], cause: error }));
  }
}

/** The severity from which on the server ends the connection. */
const fatal = 20;

function toFailure(error: unknown): SqlFailure {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const read = (name: string) =>
    errors.flatMap((one) => {
      const value: unknown = one instanceof Error ? Reflect.get(one, name) : undefined;
      return typeof value === "number" ? [value] : [];
    });
  return {
    numbers: read("number"),
    isFatal: read("class").some((severity) => severity >= fatal),
    cause: error,
  };
}

function toRows(rows: unknown): Row[] {
  if (!Array.isArray(rows)) return [];
  return rows.map((columns: readonly { value: unknown; metadata: { colName: string } }[]) =>
    Object.fromEntries(columns.map(({ value, metadata }) => [metadata.colName, value])),
  );
}

/** Throws ConfigError for a secret that no statement can contain. */
export function requireUsable(place: SqlPlace, credential: Credential): void {
  requireFit(credential, describeAccount(place, credential.account));
}
