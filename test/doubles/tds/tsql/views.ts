import {
  hasDatabasePermission,
  hasServerPermission,
  isAzureDatabase,
  managesLogins,
  type TdsSession,
  type User,
  type World,
} from "../model.ts";
import { toNameId } from "./ids.ts";
import { error, type Row, type Scope, type Value } from "./scope.ts";

type View = (world: World, session: TdsSession) => Readonly<Record<string, Value>>[];

/** Views of the server. In a user database of Azure SQL Database they do not exist. */
const serverViews: Readonly<Record<string, View>> = {
  server_principals: (world, session) => listLogins(world, session),
  sql_logins: (world, session) => listLogins(world, session).filter(({ type }) => type === "S"),
  server_permissions: (world, session) => {
    if (isAzureDatabase(world)) throw noSuchView("server_permissions");
    return visibleLogins(world, session).flatMap(({ id, denied, permissions }) => [
      {
        grantee_principal_id: id,
        type: "COSQ",
        permission_name: "CONNECT SQL",
        state: denied ? "D" : "G",
      },
      ...[...permissions].map((permission) => ({
        grantee_principal_id: id,
        type: "    ",
        permission_name: permission,
        state: "G",
      })),
    ]);
  },
  server_role_members: (world, session) =>
    visibleLogins(world, session).flatMap(({ id, roles }) =>
      [...roles].map((role) => ({
        member_principal_id: id,
        role_principal_id: toNameId(role),
      })),
    ),
};

const views: Readonly<Record<string, View>> = {
  database_principals: (_world, session) => [
    ...visibleUsers(session).map(({ id, name, type, authentication, sid, defaultSchema }) => ({
      principal_id: id,
      name,
      type,
      default_schema_name: defaultSchema,
      default_language_name: null,
      owning_principal_id: type === "R" ? findOwner(session, name) : null,
      authentication_type: authentication,
      sid: sid === null ? null : `0x${sid}`,
    })),
  ],
  database_role_members: (_world, session) =>
    visibleUsers(session).flatMap(({ id, roles }) =>
      [...roles].map((role) => ({ member_principal_id: id, role_principal_id: toNameId(role) })),
    ),
  schemas: (_world, session) =>
    visibleUsers(session).flatMap(({ id, owns }) =>
      owns
        .filter((name) => session.database.users.get(name)?.type !== "R")
        .map((name) => ({ name, principal_id: id })),
    ),
  database_permissions: (_world, session) => [
    ...visibleUsers(session).flatMap(({ id, permissions, grants }) => [
      ...[...permissions].map((permission) => ({
        ...connectRow(id, "G"),
        type: "    ",
        permission_name: permission,
      })),
      ...grants.map(({ permission, on: [schema, table, column], state = "G" }) => ({
        class: table === undefined ? 3 : 1,
        class_desc: table === undefined ? "SCHEMA" : "OBJECT_OR_COLUMN",
        type: "    ",
        permission_name: permission,
        grantee_principal_id: id,
        state,
        major_id: toNameId(table === undefined ? schema : `${schema}.${table}`),
        minor_id: column === undefined ? 0 : toNameId(column),
      })),
    ]),
    ...visibleUsers(session).flatMap(({ id, connect }) =>
      connect === "none" ? [] : [connectRow(id, connect === "granted" ? "G" : "D")],
    ),
    ...(session.database.guest || session.database.name === "master" ? [connectRow(2, "G")] : []),
  ],
  dm_exec_sessions: (world, session) =>
    [...world.sessions]
      .filter((one) => sees(world, session, one))
      .map(({ id, account }) => ({
        session_id: id,
        is_user_process: 1,
        login_name: account,
        original_login_name: account,
      })),
  databases: (world) =>
    [...world.databases.values()].map(({ name, state }) => ({
      name,
      state: state === "copying" ? 7 : 0,
    })),
};

const findOwner = ({ database }: TdsSession, role: string) =>
  [...database.users.values()].find(({ owns }) => owns.includes(role))?.id ?? 1;

const connectRow = (id: number, state: string) => ({
  class: 0,
  class_desc: "DATABASE",
  permission_name: "CONNECT",
  major_id: 0,
  minor_id: 0,
  type: "CO  ",
  grantee_principal_id: id,
  state,
});

const noSuchView = (name: string) => error(208, `Invalid object name 'sys.${name}'.`);

export function readView(name: string, { world, session }: Scope): Row[] {
  const isHidden = isAzureDatabase(world) && session.database.name !== "master";
  const view = views[name] ?? (isHidden ? undefined : serverViews[name]);
  if (view === undefined) throw noSuchView(name);
  return view(world, session).map((row) => new Map(Object.entries(row)));
}

function listLogins(world: World, session: TdsSession) {
  return visibleLogins(world, session).map((login) => ({
    principal_id: login.id,
    name: login.account,
    type: login.type,
    sid: `0x${login.sid}`,
    is_disabled: login.enabled ? 0 : 1,
    default_database_name: login.defaultDatabase,
    default_language_name: login.defaultLanguage,
    is_policy_checked: login.policy ? 1 : 0,
  }));
}

function visibleLogins(world: World, session: TdsSession) {
  const all = [...world.logins.values()];
  return managesLogins(world, session) ? all : all.filter((one) => one === session.login);
}

function visibleUsers(session: TdsSession): User[] {
  const all = [...session.database.users.values()];
  const seesAll = ["ALTER ANY USER", "VIEW DEFINITION"].some((permission) =>
    hasDatabasePermission(session, permission),
  );
  return seesAll ? all : all.filter((one) => one === session.user || one.type === "R");
}

/** Without the right, a session sees only itself. */
function sees(world: World, session: TdsSession, other: TdsSession): boolean {
  if (other === session) return true;
  if (isAzureDatabase(world)) {
    const isSame = other.database === session.database;
    return isSame && hasDatabasePermission(session, "VIEW DATABASE STATE");
  }
  return ["VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE"].some((permission) =>
    hasServerPermission(session, permission),
  );
}
