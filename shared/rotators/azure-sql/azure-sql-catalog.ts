import { z } from "zod";
import type { Session } from "./azure-sql-session.ts";
import {
  askRights,
  askServer,
  countServerDenials,
  findConnectRights,
  findLogin,
  findUser,
  findUserOfLogin,
} from "./azure-sql-statements.ts";

/** 1 or 0. NULL: the server does not know the question. */
const flag = z
  .int()
  .nullable()
  .transform((value) => value === 1);

const serverRow = z.object({
  edition: z.int(),
  isWindowsOnly: flag,
  isEntraOnly: flag,
  database: z.string(),
  quotedDatabase: z.string(),
  quoted: z.string(),
  updateability: z.string().nullable(),
  myLogin: z.string(),
  quotedLogin: z.string(),
  myUser: z.string().nullable(),
  quotedUser: z.string().nullable(),
  mayAlterUsers: flag,
  seesUsers: flag,
});
const userRow = z.object({
  id: z.int(),
  name: z.string(),
  type: z.string().transform((type) => type.trim()),
  authentication: z.int(),
  sid: z.string().nullable(),
});
const rightsRow = z.object({
  mayAlterLogins: flag,
  controlsServer: flag,
  managesLogins: flag,
  isLoginManager: flag,
  myId: z.int().nullable(),
});
const loginRow = z.object({
  id: z.int(),
  name: z.string(),
  type: z.string().transform((type) => type.trim()),
  sid: z.string(),
  isDisabled: flag,
  isLocked: flag,
  isSysadmin: flag,
  isConnector: flag,
  isPolicyChecked: flag,
});
const connectRow = z.object({ id: z.int(), state: z.string().transform((state) => state.trim()) });

export type ServerFacts = z.output<typeof serverRow>;
export type UserRow = z.output<typeof userRow>;
export type LoginRow = z.output<typeof loginRow>;
export type ConnectRight = z.output<typeof connectRow>;

/** What the authority may do to logins. */
export type LoginRights = z.output<typeof rightsRow>;

/** The edition of Azure SQL Database, where only master has the logins. */
const azureDatabase = 5;

export function isAzureDatabase({ edition }: Pick<ServerFacts, "edition">): boolean {
  return edition === azureDatabase;
}

/** The sessions of one server. */
export interface Desk {
  readonly db: Session;
  /** The session that sees the logins; undefined if the authority cannot open master. On most servers the same as `db`. */
  readonly logins: Session | undefined;
  readonly facts: ServerFacts;
}

/** The account and the authority, as the server shows them to the authority. */
export interface Survey {
  readonly facts: ServerFacts;
  readonly user: UserRow | undefined;
  readonly login: LoginRow | undefined;
  /** Undefined if the authority cannot open master. */
  readonly rights: LoginRights | undefined;
  /** The login may not connect to the server. */
  readonly isDenied: boolean;
  /** The rights to connect of the user of the account and of guest. Undefined if the authority cannot see them. */
  readonly connect:
    { readonly userId: number | undefined; readonly found: readonly ConnectRight[] } | undefined;
}

export async function readServer(db: Session, account: string): Promise<ServerFacts> {
  const [row] = await db.query(askServer, { account });
  return serverRow.parse(row);
}

export async function surveyAccount({ db, logins, facts }: Desk, account: string): Promise<Survey> {
  const [userFound] = await db.query(findUser, { account });
  const user = userFound && userRow.parse(userFound);
  const [loginFound] = logins ? await logins.query(findLogin, { account }) : [];
  const login = loginFound && loginRow.parse(loginFound);
  const [rightsFound] = logins ? await logins.query(askRights) : [];
  const [denials] =
    logins && login && !isAzureDatabase(facts)
      ? await db.query(countServerDenials, { account })
      : [];
  return {
    facts,
    user,
    login,
    rights: rightsFound && rightsRow.parse(rightsFound),
    isDenied: Number(denials?.["denials"] ?? 0) > 0,
    connect: facts.seesUsers ? await readConnectRights(db, user, login) : undefined,
  };
}

async function readConnectRights(
  db: Session,
  user: UserRow | undefined,
  login: LoginRow | undefined,
): Promise<Survey["connect"]> {
  const [mapped] = login ? await db.query(findUserOfLogin, { sid: login.sid }) : [];
  const userId = mapped ? z.int().parse(mapped["id"]) : login ? undefined : user?.id;
  const rows = await db.query(findConnectRights, { id: String(userId ?? -1) });
  return { userId, found: rows.map((row) => connectRow.parse(row)) };
}
