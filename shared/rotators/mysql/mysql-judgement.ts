import type { Right, Using } from "../rotator.ts";
import {
  type FoundAccount,
  hasOtherPassword,
  hasPassword,
  type Variant,
} from "./mysql-accounts.ts";
import { compareHosts, permitsHost } from "./mysql-hosts.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import { hasTwoPasswords } from "./mysql-overlap.ts";
import type { Privileges } from "./mysql-rights.ts";
import { nameSystem, type Server } from "./mysql-session.ts";
import { nativePlugin, quoteAccount } from "./mysql-statements.ts";

/** What the session of the authority has found out about itself and the account. */
export interface Findings {
  readonly server: Server;
  readonly privileges: Privileges;
  readonly found: FoundAccount;
  readonly account: string;
  readonly as: Using["as"];
  readonly options: MysqlOptions;
}

/** Pure: the accounts that a change concerns. An account without rights can change only itself, at the host that it logged in at. */
export function chooseVariants({ as, found, server, account, options }: Findings) {
  if (as !== "self") return [...found.variants].sort(ourOwnLast(server.clientHost));
  const { host } = server.loggedInAs;
  const own = found.variants.find((variant) => variant.host === host);
  const isWanted = options.hosts?.every((name) => name.toLowerCase() === host.toLowerCase());
  return server.loggedInAs.account === account && isWanted !== false ? [own ?? { host }] : [];
}

/**
 * MariaDB changes one account after the other. A log-in from here proves the change of all if the one that it uses comes last.
 */
const ourOwnLast = (from: string) => (a: Variant, b: Variant) => {
  const [isA, isB] = [a, b].map(({ host }) => permitsHost(host, from) !== false);
  return isA === isB ? compareHosts(b.host, a.host) : isA === true ? 1 : -1;
};

/** Pure: whether the authority may change every account that it should. */
export function judgeRight(findings: Findings): Right {
  const fault =
    findings.as === "self" ? lackOfSelf(findings) : (lackOfAdmin(findings) ?? lackOfHost(findings));
  if (fault === undefined) {
    return {
      is: findings.found.variants.length > 0 || findings.as === "self" ? "proven" : "likely",
    };
  }
  return { is: "missing", why: `Account \`${findings.account}\` cannot be changed: ${fault}` };
}

function lackOfSelf(findings: Findings): string | undefined {
  if (chooseVariants(findings).length > 0) return undefined;
  const { loggedInAs } = findings.server;
  return `it logged in as ${quoteAccount(loggedInAs.account, loggedInAs.host)}, and can change only that. Remove options.hosts, or use an admin.`;
}

function lackOfAdmin({
  server,
  privileges,
  found,
  account,
  options,
}: Findings): string | undefined {
  const { loggedInAs, isMariadb, variables } = server;
  const who = quoteAccount(loggedInAs.account, loggedInAs.host);
  const lacks = (right: string, statement: string) =>
    `\`${loggedInAs.account}\` lacks ${right}. Run: ${statement} TO ${who}.`;
  if (!privileges.has("CREATE USER") && !privileges.hasInMysql("UPDATE", "*")) {
    return lacks("CREATE USER", "GRANT CREATE USER ON *.*");
  }
  const [hidden] = found.protected;
  if (hidden !== undefined) {
    return `${quoteAccount(account, hidden)} has SYSTEM_USER, and ${lacks("it", "GRANT SYSTEM_USER ON *.*")}`;
  }
  if (found.isReadable) return undefined;
  if (isMariadb) {
    return lacks(
      "SELECT on mysql.global_priv, which shows the hosts and the kind of log-in of an account",
      "GRANT SELECT ON mysql.global_priv",
    );
  }
  const toSee = (why: string) =>
    lacks(`SELECT on mysql.user, ${why}`, "GRANT SELECT ON mysql.user");
  if (!found.isListed && options.hosts === undefined) {
    return toSee("which shows the hosts of an account");
  }
  const hasHistory = ["password_history", "password_reuse_interval"].some(
    (name) => Number(variables.get(name) ?? 0) > 0,
  );
  return hasHistory
    ? toSee("which it needs on a server with a password history, to see which password is first")
    : undefined;
}

/** A change of the other hosts alone would leave consumers behind. */
function lackOfHost({ found, account, options }: Findings): string | undefined {
  if (!found.isListed || found.variants.length === 0) return undefined;
  const missing = options.hosts?.find(
    (host) => !found.variants.some((it) => it.host.toLowerCase() === host.toLowerCase()),
  );
  return missing === undefined
    ? undefined
    : `it does not exist at host \`${missing}\`. Run: CREATE USER ${quoteAccount(account, missing)} IDENTIFIED BY '…', or correct options.hosts.`;
}

/** Pure: why a change takes the old password away although the engine expects it to stay; undefined if it stays. */
export function judgeGap({ server, privileges, account, as }: Findings): string | undefined {
  const then = `Consumers of \`${account}\` are refused from the change until they read the new secret`;
  if (!hasTwoPasswords(server)) {
    const version = server.isMariadb ? "" : ` ${server.version.join(".")} (before 8.0.14)`;
    const system = `${nameSystem(server)}${version}`;
    return `${system} keeps one password for an account. ${then}. To avoid that, rotate a pair of accounts.`;
  }
  if (privileges.has("CREATE USER")) return undefined;
  const right = as === "self" ? "APPLICATION_PASSWORD_ADMIN" : "CREATE USER";
  if (as === "self" && privileges.has(right)) return undefined;
  const { loggedInAs } = server;
  return (
    `\`${loggedInAs.account}\` lacks ${right}, without which the old password cannot stay. ${then}. ` +
    `To avoid that, run: GRANT ${right} ON *.* TO ${quoteAccount(loggedInAs.account, loggedInAs.host)}.`
  );
}

/** Pure: why the accounts must not be changed, although the authority has the right; undefined if nothing prevents it. */
export function judgeMethods(account: string, variants: readonly Variant[]): string | undefined {
  const several = variants.find(({ details }) => (details?.otherMethods.length ?? 0) > 0);
  if (several?.details !== undefined) {
    const { plugin, otherMethods } = several.details;
    return (
      `Account ${quoteAccount(account, several.host)} has several methods of log-in (${[plugin, ...otherMethods].join(", ")}), ` +
      `and a change would remove the others. Give it a single one: ALTER USER … IDENTIFIED VIA ${nativePlugin} USING PASSWORD('…').`
    );
  }
  const other = variants.find(hasOtherPassword);
  if (other?.details !== undefined && variants.some(hasPassword)) {
    return (
      `Account ${quoteAccount(account, other.host)} logs in with ${other.details.plugin}, so Keyturn cannot change its password, and ` +
      `it would keep the old one. Give it one that Keyturn can change: ALTER USER … IDENTIFIED VIA ${nativePlugin} USING PASSWORD('…'), or ` +
      "list the other hosts in options.hosts."
    );
  }
  if (variants.length === 0 || variants.some(hasPassword)) return undefined;
  const plugins = variants.flatMap(({ details }) => details?.plugin ?? []);
  return (
    `Account \`${account}\` has no password that Keyturn can change: it logs in with ${[...new Set(plugins)].join(", ")}. ` +
    "Give it one with ALTER USER … IDENTIFIED BY, or rotate another account."
  );
}

/** Pure: what prevents the account from logging in from here, whatever its password. */
export function judgeObstacles(
  { server, found, account, options, as }: Findings,
  connections: number,
): readonly string[] {
  const who = `Account \`${account}\``;
  if (as === "self" || !found.isListed) return [];
  if (found.variants.length === 0) {
    const [host = "%"] = options.hosts ?? [];
    const at = options.hosts === undefined ? "" : ` at host \`${host}\``;
    return [
      `${who} does not exist${at}. Run: CREATE USER ${quoteAccount(account, host)} IDENTIFIED BY '…'.`,
    ];
  }
  const methods = judgeMethods(account, found.variants);
  if (methods !== undefined) return [methods];
  const usable = found.variants
    .filter(({ host }) => permitsHost(host, server.clientHost) !== false)
    .toSorted((a, b) => compareHosts(a.host, b.host));
  const [first] = usable;
  if (first === undefined) {
    const hosts = found.variants.map(({ host }) => `\`${host}\``).join(", ");
    return [
      `${who} cannot log in from ${server.clientHost}: it exists for ${hosts} only. Run: CREATE USER ${quoteAccount(account, server.clientHost)} IDENTIFIED BY '…'.`,
    ];
  }
  // Which of several the server chooses is certain only to the server.
  return usable.every((one) => obstacleOf(one, account, options, connections) !== undefined)
    ? [obstacleOf(first, account, options, connections) ?? ""]
    : [];
}

function obstacleOf(
  { host, details }: Variant,
  account: string,
  { tls }: MysqlOptions,
  connections: number,
): string | undefined {
  if (details === undefined) return undefined;
  const quoted = quoteAccount(account, host);
  const { isLocked, ssl, maxConnections } = details;
  if (isLocked) return `Account ${quoted} is locked. Run: ALTER USER ${quoted} ACCOUNT UNLOCK.`;
  if (ssl === "certificate") {
    return `Account ${quoted} must show a client certificate, which Keyturn does not have. Run: ALTER USER ${quoted} REQUIRE SSL.`;
  }
  if (ssl === "any" && tls.mode === "disable") {
    return `Account ${quoted} requires TLS. Set options.tls.mode to verify-full.`;
  }
  if (maxConnections > 0 && connections >= maxConnections) {
    return (
      `Account ${quoted} has ${connections} of the ${maxConnections} connections that its limit allows. ` +
      `Close some, or run: ALTER USER ${quoted} WITH MAX_USER_CONNECTIONS 0.`
    );
  }
  return undefined;
}
