import type { Retire } from "../rotator.ts";
import { findAccount } from "./mysql-accounts.ts";
import type { Findings } from "./mysql-judgement.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import { readPrivileges } from "./mysql-rights.ts";
import type { Server, Session } from "./mysql-session.ts";

/** Reads what the authority can see about itself and the account. */
export async function readFindings(
  session: Session,
  server: Server,
  { account, options, using }: Retire<MysqlOptions>,
): Promise<Findings> {
  const privileges = await readPrivileges(session);
  const found = await findAccount(session, server, account, options);
  return { server, privileges, found, account, options, as: using.as };
}

/** Connections of the account, except this one. Without the privilege PROCESS, those of other accounts are not shown. */
export async function countConnections(session: Session, account: string): Promise<number> {
  const [row] = await session.query(
    // Names differ in case, and this column is compared without it.
    "SELECT COUNT(*) AS number FROM information_schema.PROCESSLIST WHERE CONVERT(USER USING utf8mb4) COLLATE utf8mb4_bin = ? AND ID <> CONNECTION_ID()",
    [account],
  );
  return Number(row?.["number"]);
}

/** The plugins of MariaDB that check new passwords, and therefore must see them. */
export async function readPasswordPlugins(session: Session): Promise<readonly string[]> {
  const rows = await session.query(
    "SELECT PLUGIN_NAME AS name FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION' AND PLUGIN_STATUS = 'ACTIVE'",
  );
  return rows.map((row) => String(row["name"]));
}

/** Whether MariaDB stores the password of the session's account as `toNativeForm` computes it. */
export async function isOwnPasswordNative(session: Session): Promise<boolean> {
  const rows = await session.query("SHOW CREATE USER CURRENT_USER()");
  const text = rows.flatMap((row) => Object.values(row).map(String)).join("");
  return / IDENTIFIED (?:BY PASSWORD|VIA mysql_native_password USING) '\*[0-9A-F]{40}'/.test(text);
}
