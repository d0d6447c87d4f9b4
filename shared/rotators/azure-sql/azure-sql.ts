import { ChangeRefusedError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { minute } from "../../core/time.ts";
import { requireNoFault } from "../common/connection/option-faults.ts";
import { joinExaminations } from "../common/several/several-decisions.ts";
import { changeAll, setBackAll, verifyAll } from "../common/several/several-servers.ts";
import { findUnfitAccountForSqlServer } from "../common/sql-server/sql-server-account.ts";
import type { SqlPlace } from "../common/sql-server/sql-server-connection.ts";
import {
  findUnfitForSqlServer,
  findUnfitRulesForSqlServer,
} from "../common/sql-server/sql-server-passwords.ts";
import { guarded } from "../guarded.ts";
import type { Examination } from "../rotator.ts";
import {
  atAccount,
  makeSidCheck,
  requireNoReplicas,
  requireWritable,
  retireAt,
  setSecret,
} from "./azure-sql-change.ts";
import { type Call, keepSession, surveyAt, withDesk } from "./azure-sql-desk.ts";
import { type Concern, examineAccount } from "./azure-sql-examine.ts";
import {
  type AzureSqlOptions,
  azureSqlOptions,
  describeAccount,
  describeServer,
  findOptionFaults,
  listServers,
} from "./azure-sql-options.ts";
import { openSession, requireUsable } from "./azure-sql-session.ts";
import { hasSessionsAt } from "./azure-sql-sessions.ts";
import { compareTwins } from "./azure-sql-twins.ts";

export type { AzureSqlOptions };

/**
 * Logins and contained users of Azure SQL Database, Azure SQL Managed Instance and SQL Server. It finds out which of the two an account
 * is. The administrator of a server belongs to `azure-admin`.
 */
export const azureSql = guarded<AzureSqlOptions>({
  type: "azure-sql",
  mistakenFor: ["sqlserver", "sql-server", "mssql"],
  options: azureSqlOptions,
  // User databases of Azure SQL Database have copies of the logins, which DBCC FLUSHAUTHCACHE renews in one of them.
  capabilities: {
    selfService: true,
    admin: true,
    identity: true,
    propagation: 5 * minute,
  },

  endpoint(options) {
    const { host, port, database } = options;
    const members = listServers(options).map(describeServer);
    return { engine: "sqlserver", host, port, database, ...(members.length > 1 && { members }) };
  },

  accountRealm: ({ contained, database }) => (contained === true ? database : ""),

  findOptionFaults,

  findUnfit: (secret) => findUnfitForSqlServer(secret.reveal()),

  findUnfitAccount: findUnfitAccountForSqlServer,

  findUnfitRules: findUnfitRulesForSqlServer,

  async apply({ next, ...rest }, signal) {
    const call: Call = { ...rest, account: next.account };
    const servers = listServers(call.options);
    for (const server of servers) requireUsable(server, next);
    const { options, using } = call;
    requireNoFault(findOptionFaults(options, using.as), describeAccount(options, next.account));
    const findOther = makeSidCheck();
    await changeAll(
      servers,
      {
        name: describeServer,
        check: (server) =>
          atAccount(call, server, signal, (_desk, found) => {
            const other = findOther(server, found);
            if (other !== undefined) throw new ChangeRefusedError(other);
            return Promise.resolve();
          }),
        change: (server) => setSecret(call, server, { next, mayEnable: true }, signal),
      },
      signal,
    );
    return { credential: next };
  },

  hasSeveralServers: (options) => listServers(options).length > 1,

  setBack({ earlier, next, ...rest }, signal) {
    const call: Call = { ...rest, account: next.account };
    return setBackAll(listServers(call.options), {
      name: describeServer,
      logsIn: async (server, which) => {
        const credential = which === "new" ? next : earlier;
        return (await tryLogin(server, credential, signal, rest)) === "accepted";
      },
      set: (server) => setSecret(call, server, { next: earlier, mayEnable: false }, signal),
      mayBeStale: true,
    });
  },

  async verify({ options, credential, ...call }, signal) {
    const servers = listServers(options);
    for (const server of servers) requireUsable(server, credential);
    const log = (server: SqlPlace) => tryLogin(server, credential, signal, call);
    return verifyAll(servers, describeServer, log, call.note);
  },

  async examine({ isProven, twin, ...call }, signal) {
    const servers = listServers(call.options);
    const found: Examined[] = [];
    for (const server of servers) {
      const seen = await withDesk(call, server, signal, async (desk) => {
        const concern = await surveyAt(desk, call);
        const warnings = await compareTwins(desk, call.account, concern.survey, {
          twin,
          isSelf: call.using.as === "self",
        });
        return { server, concern, warnings };
      });
      if (seen === "rejected") return seen;
      const { concern } = seen;
      const where = describeAccount(server, call.account);
      if (concern.account.is === "user") {
        requireNoReplicas(call, where);
        requireWritable(concern.survey.facts.updateability, where);
      }
      found.push(seen);
    }
    return joinExamined(found, isProven || call.using.as === "self");
  },

  async hasSessions(look, signal) {
    for (const server of listServers(look.options)) {
      if (await hasSessionsAt(look, server, signal)) return true;
    }
    return false;
  },

  async retire(call, signal) {
    const servers = listServers(call.options);
    const check = (server: SqlPlace) => atAccount(call, server, signal, () => Promise.resolve());
    const change = (server: SqlPlace) => retireAt(call, server, signal);
    await changeAll(servers, { name: describeServer, check, change }, signal);
  },
});

/** Logs in as a consumer would. */
async function tryLogin(
  server: SqlPlace,
  credential: Credential,
  signal: AbortSignal,
  { connectWithin, mayStay = false }: Pick<Call, "connectWithin" | "mayStay">,
): Promise<"accepted" | "rejected"> {
  const where = describeAccount(server, credential.account);
  const session = await openSession(server, credential, { where, signal, connectWithin });
  if (session === "rejected") return session;
  if (mayStay) keepSession(server, credential, session);
  else await session.close();
  return "accepted";
}

interface Examined {
  readonly server: SqlPlace;
  readonly concern: Concern;
  readonly warnings: readonly string[];
}

/** The examinations of all servers as one. With several, each sentence names its server. */
function joinExamined(found: readonly Examined[], isProven: boolean): Examination {
  const findOther = makeSidCheck();
  const all = found.map(({ server, concern, warnings }) => {
    const { obstacles, right } = examineAccount(concern);
    const at = (sentence: string) =>
      found.length > 1 ? `On ${describeServer(server)}: ${sentence}` : sentence;
    const other = findOther(server, concern);
    const why = right.is === "missing" ? at(right.why) : other;
    return {
      obstacles: isProven ? [] : obstacles.map(at),
      warnings: warnings.map(at),
      right: why === undefined ? right : { is: "missing" as const, why },
    };
  });
  return joinExaminations(all);
}
