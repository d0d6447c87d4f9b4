import { refused } from "./errors.ts";
import {
  matches,
  type Mechanism,
  mechanisms,
  type ScramCredential,
  scramCredential,
} from "./scram.ts";

export interface Role {
  readonly role: string;
  readonly db: string;
}

/** Actions that this server knows; what a role grants is data. */
export type Action = "createUser" | "changePassword" | "changeOwnPassword" | "viewUser" | "inprog";

const userAdmin: readonly Action[] = ["createUser", "changePassword", "viewUser"];

const granted: Record<
  string,
  { readonly everywhere: boolean; readonly actions: readonly Action[] }
> = {
  root: { everywhere: true, actions: [...userAdmin, "inprog"] },
  clusterMonitor: { everywhere: true, actions: ["inprog"] },
  userAdminAnyDatabase: { everywhere: true, actions: userAdmin },
  userAdmin: { everywhere: false, actions: userAdmin },
  // No built-in role lets an account change passwords alone, or its own one: real sites make such custom roles.
  changeOwnPassword: { everywhere: false, actions: ["changeOwnPassword"] },
  changePassword: { everywhere: false, actions: ["changePassword"] },
};

/** Roles that exist and have nothing to do with users. */
const inert = new Set(["read", "readWrite", "readAnyDatabase", "readWriteAnyDatabase", "dbAdmin"]);

/** One of several is enough to be let in; of one, every part must fit. Addresses or ranges. */
export interface Restriction {
  readonly clientSource?: readonly string[];
  readonly serverAddress?: readonly string[];
}

export interface StoredUser {
  readonly user: string;
  readonly db: string;
  readonly roles: readonly Role[];
  readonly credentials: readonly ScramCredential[];
  readonly restrictions: readonly Restriction[];
}

export interface Users {
  find(user: string, db: string): StoredUser | undefined;
  all(): readonly StoredUser[];
  create(user: StoredUser): void;
  replace(user: StoredUser): void;
  accepts(user: string, password: string, db: string): Promise<boolean>;
}

export function userStore(): Users {
  const users = new Map<string, StoredUser>();
  // User names may hold dots, database names may not: the key cannot be ambiguous.
  const key = (user: string, db: string) => `${db}.${user}`;
  return {
    find: (user, db) => users.get(key(user, db)),
    all: () => [...users.values()],
    create(user) {
      const id = key(user.user, user.db);
      if (users.has(id)) {
        throw refused("Location51003", `User "${user.user}@${user.db}" already exists`);
      }
      users.set(id, user);
    },
    replace(user) {
      const id = key(user.user, user.db);
      if (!users.has(id)) {
        throw refused("UserNotFound", `User ${user.user}@${user.db} not found`);
      }
      users.set(id, user);
    },
    async accepts(user, password, db) {
      const credential = users.get(key(user, db))?.credentials.at(-1);
      return credential !== undefined && matches(credential, user, password);
    },
  };
}

/** The users as a mongos knows them: a change that it makes is known at once, and another one only when it learns. */
export function cachedUsers(users: Users): Users & { readonly learn: () => void } {
  let known = new Map<string, StoredUser>();
  const key = (user: string, db: string) => `${db}.${user}`;
  const learn = () => {
    known = new Map(users.all().map((user) => [key(user.user, user.db), user]));
  };
  learn();
  return {
    find: (user, db) => known.get(key(user, db)),
    all: () => [...known.values()],
    create(user) {
      users.create(user);
      learn();
    },
    replace(user) {
      users.replace(user);
      learn();
    },
    accepts: (user, password, db) => users.accepts(user, password, db),
    learn,
  };
}

/** Credentials for every wanted mechanism, in the server's own order. */
export function makeCredentials(
  user: string,
  password: string,
  wanted: readonly Mechanism[],
  iterations: Readonly<Record<Mechanism, number>>,
): Promise<ScramCredential[]> {
  if (password === "") throw refused("Location50687", "Error preflighting UTF-8 conversion");
  const ordered = mechanisms.filter((mechanism) => wanted.includes(mechanism));
  return Promise.all(
    ordered.map((mechanism) =>
      scramCredential(mechanism, { user, password, iterations: iterations[mechanism] }),
    ),
  );
}

export function isAllowed(user: StoredUser, action: Action, db: string): boolean {
  return user.roles.some((role) => {
    const grant = granted[role.role];
    if (!grant?.actions.includes(action)) return false;
    return grant.everywhere ? role.db === "admin" : role.db === db;
  });
}

export interface Privilege {
  readonly resource:
    { readonly db: string; readonly collection: string } | { readonly cluster: true };
  readonly actions: readonly Action[];
}

/** As connectionStatus shows them. */
export function listPrivileges({ roles }: StoredUser): Privilege[] {
  return roles.flatMap(({ role, db }) => {
    const grant = granted[role];
    if (grant === undefined) return [];
    const onCluster = grant.actions.filter((action) => action === "inprog");
    const onDatabase = grant.actions.filter((action) => action !== "inprog");
    const resource = { db: grant.everywhere ? "" : db, collection: "" };
    return [
      ...(onDatabase.length > 0 ? [{ resource, actions: onDatabase }] : []),
      ...(onCluster.length > 0
        ? [{ resource: { cluster: true } as const, actions: onCluster }]
        : []),
    ];
  });
}

export function isKnownRole(name: string): boolean {
  return name in granted || inert.has(name);
}
