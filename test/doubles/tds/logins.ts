import { tdsErrors, type TdsRefusal } from "./errors.ts";
import type { Login7 } from "./login7.ts";

export interface TdsLogin {
  readonly account: string;
  readonly password: string;
  /** Default true. */
  readonly enabled?: boolean;
  /** Default `master`. */
  readonly defaultDatabase?: string;
}

/** The result of a log-in: a database, or the errors of the server in order. */
export type LoginResult =
  | { readonly account: string; readonly database: string; readonly errors?: undefined }
  | { readonly account: string; readonly errors: readonly [TdsRefusal, ...TdsRefusal[]] };

interface Stored {
  readonly account: string;
  password: string;
  enabled: boolean;
  locked: boolean;
  readonly defaultDatabase: string;
  failures: number;
  /** The change is not everywhere yet: so many more log-ins are judged by the password before it. */
  lagging: { password: string; logins: number } | undefined;
}

export interface LoginRules {
  readonly server: string;
  readonly databases: Map<string, "online" | "unavailable">;
  /** So many log-ins after a change of password are still judged by the one before. */
  propagation: number;
  /** Wrong passwords in a row that lock an account; Azure SQL never does, a server with a policy does. */
  lockAfter: number;
}

export interface Logins {
  add(login: TdsLogin): void;
  check(login: Login7): LoginResult;
  /** False where there is no such account. */
  setPassword(account: string, password: string): boolean;
  setEnabled(account: string, enabled: boolean): void;
  unlock(account: string): void;
  /** Whether the password is the one that holds in the end, whatever has not spread yet. */
  accepts(account: string, password: string): boolean;
}

export function loginTable(rules: LoginRules): Logins {
  const logins = new Map<string, Stored>();

  /** Names ignore case; clients may write `account@server`, which the gateway of Azure SQL takes off. */
  function find(account: string): Stored | undefined {
    const key = account.toLowerCase();
    return logins.get(key) ?? logins.get(key.replace(/@[^@]*$/, ""));
  }

  function passwordInForce(login: Stored): string {
    const { lagging } = login;
    if (lagging === undefined || lagging.logins <= 0) return login.password;
    lagging.logins -= 1;
    return lagging.password;
  }

  function passwordError(login: Stored | undefined, asked: Login7): TdsRefusal | undefined {
    if (login === undefined) return tdsErrors.loginFailed(asked.account);
    if (login.locked) return tdsErrors.locked(asked.account);
    if (passwordInForce(login) !== asked.password) {
      login.failures += 1;
      login.locked = login.failures >= rules.lockAfter;
      return tdsErrors.loginFailed(asked.account);
    }
    // A disabled account is reported only to a client with its password.
    if (!login.enabled) return tdsErrors.disabled(asked.account);
    login.failures = 0;
    return undefined;
  }

  return {
    add({ account, password, enabled = true, defaultDatabase = "master" }) {
      logins.set(account.toLowerCase(), {
        account,
        password,
        enabled,
        locked: false,
        defaultDatabase,
        failures: 0,
        lagging: undefined,
      });
    },
    check(asked) {
      const { account } = asked;
      const login = find(account);
      const database =
        asked.database === "" ? (login?.defaultDatabase ?? "master") : asked.database;
      const state = rules.databases.get(database.toLowerCase());
      if (state === "unavailable") {
        return { account, errors: [tdsErrors.unavailable(database, rules.server)] };
      }
      const refused = passwordError(login, asked);
      if (refused) return { account, errors: [refused] };
      if (state === undefined) {
        // The real server sends both, in this order; clients that keep only the last see 18456.
        const both = [tdsErrors.noSuchDatabase(database), tdsErrors.loginFailed(account)] as const;
        return { account, errors: [...both] };
      }
      return { account: login?.account ?? account, database };
    },
    setPassword(account, password) {
      const login = find(account);
      if (login === undefined) return false;
      login.lagging = { password: login.password, logins: rules.propagation };
      login.password = password;
      return true;
    },
    setEnabled(account, enabled) {
      const login = find(account);
      if (login) login.enabled = enabled;
    },
    unlock(account) {
      const login = find(account);
      if (login) Object.assign(login, { locked: false, failures: 0 });
    },
    accepts: (account, password) => find(account)?.password === password,
  };
}
