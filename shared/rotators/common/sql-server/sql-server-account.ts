import { findUnfitName } from "../connection/account-name.ts";

/** Characters, as UTF-16 counts them. The server refuses longer names, and QUOTENAME returns NULL for them. */
const maxNameLength = 128;

/** Why no account can have this name, in the words of `Rotator.findUnfitAccount`. */
export function findUnfitAccountForSqlServer(account: string): string | undefined {
  if (account.includes("\\")) {
    return "must not contain a backslash: accounts of Windows have no password in SQL Server; write an account that logs in with one";
  }
  if (account.length > maxNameLength) return `must have at most ${maxNameLength} characters`;
  return findUnfitName(account);
}

/** Names of the system, and users and roles that every database has. Azure creates no server whose administrator has one of them. */
const reserved = new Set([
  ...["sa", "admin", "administrator", "root", "guest", "public", "dbo", "sys"],
  ...["information_schema", "dbmanager", "loginmanager"],
  ...["db_accessadmin", "db_backupoperator", "db_datareader", "db_datawriter", "db_ddladmin"],
  ...["db_denydatareader", "db_denydatawriter", "db_owner", "db_securityadmin"],
]);

/** The same for the administrator of a logical server of Azure SQL. */
export function findUnfitAdministrator(account: string): string | undefined {
  return reserved.has(account.toLowerCase())
    ? "must not be a reserved name, which Azure permits for no administrator; write the Server admin that the Azure portal shows for this server"
    : findUnfitAccountForSqlServer(account);
}
