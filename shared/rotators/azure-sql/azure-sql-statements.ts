/**
 * All T-SQL that this rotator sends. Values are parameters. `ALTER LOGIN` and `ALTER USER` take none, so the server itself quotes them
 * into the statement.
 */

/** The server, the database, and the authority, as the authority sees them. `@account` is the account. */
export const askServer = `
  SELECT
    CONVERT(int, SERVERPROPERTY('EngineEdition')) AS edition,
    CONVERT(int, SERVERPROPERTY('IsIntegratedSecurityOnly')) AS isWindowsOnly,
    CONVERT(int, SERVERPROPERTY('IsExternalAuthenticationOnly')) AS isEntraOnly,
    DB_NAME() AS [database],
    QUOTENAME(DB_NAME()) AS quotedDatabase,
    QUOTENAME(@account) AS quoted,
    CONVERT(nvarchar(30), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')) AS updateability,
    SUSER_SNAME() AS myLogin,
    QUOTENAME(SUSER_SNAME()) AS quotedLogin,
    USER_NAME() AS myUser,
    QUOTENAME(USER_NAME()) AS quotedUser,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'ALTER ANY USER') AS mayAlterUsers,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'VIEW DEFINITION') AS seesUsers`;

export const findUser = `
  SELECT principal_id AS id, name, type, authentication_type AS authentication, CONVERT(varchar(200), sid, 1) AS sid
  FROM sys.database_principals
  WHERE name = @account`;

/** In a database that has the logins: on Azure SQL Database only master. */
export const askRights = `
  SELECT
    HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY LOGIN') AS mayAlterLogins,
    HAS_PERMS_BY_NAME(NULL, NULL, 'CONTROL SERVER') AS controlsServer,
    IS_SRVROLEMEMBER('##MS_LoginManager##') AS managesLogins,
    IS_ROLEMEMBER('loginmanager') AS isLoginManager,
    DATABASE_PRINCIPAL_ID() AS myId`;

export const findLogin = `
  SELECT
    principal_id AS id,
    name,
    type,
    CONVERT(varchar(200), sid, 1) AS sid,
    CONVERT(int, is_disabled) AS isDisabled,
    CONVERT(int, LOGINPROPERTY(@account, 'IsLocked')) AS isLocked,
    IS_SRVROLEMEMBER('sysadmin', @account) AS isSysadmin,
    IS_SRVROLEMEMBER('##MS_DatabaseConnector##', @account) AS isConnector,
    (SELECT CONVERT(int, is_policy_checked) FROM sys.sql_logins WHERE name = @account) AS isPolicyChecked
  FROM sys.server_principals
  WHERE name = @account`;

/** Not on Azure SQL Database. */
export const countServerDenials = `
  SELECT COUNT(*) AS denials
  FROM sys.server_permissions
  WHERE grantee_principal_id = SUSER_ID(@account) AND type = 'COSQ' AND state = 'D'`;

/** The user of the login in this database. */
export const findUserOfLogin = `
  SELECT principal_id AS id, name
  FROM sys.database_principals
  WHERE CONVERT(varchar(200), sid, 1) = @sid`;

/** Who may connect to this database: the user @id, and everybody through guest. */
export const findConnectRights = `
  SELECT grantee_principal_id AS id, state
  FROM sys.database_permissions
  WHERE class = 0 AND type = 'CO'
    AND (grantee_principal_id = CONVERT(int, @id) OR grantee_principal_id = DATABASE_PRINCIPAL_ID('guest'))`;

/**
 * Whether a client other than this connection is logged in as the account, and which sessions the authority sees. Without the right, the
 * list has only its own connection.
 */
export const askSessions = `
  SELECT
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS seesServer,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS seesServerToo,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'VIEW DATABASE STATE') AS seesDatabase,
    HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'VIEW DATABASE PERFORMANCE STATE') AS seesDatabaseToo,
    (
      SELECT COUNT(*) FROM sys.dm_exec_sessions
      WHERE is_user_process = 1 AND session_id <> @@SPID
        AND (login_name = @account OR original_login_name = @account)
    ) AS others`;

/** Without those that nobody can enter: restoring, offline, copying, and the offline secondary. */
export const listDatabases = `
  SELECT name
  FROM sys.databases
  WHERE state <> 1 AND state <> 6 AND state <> 7 AND state <> 10`;

/** About the user @id of this database. Each column is a fact. */
export const askUserSettings = `
  SELECT default_schema_name AS [default schema], default_language_name AS [default language of the user]
  FROM sys.database_principals
  WHERE principal_id = CONVERT(int, @id)`;

export const listRoles = `
  SELECT USER_NAME(role_principal_id) AS name, role_principal_id AS id
  FROM sys.database_role_members
  WHERE member_principal_id = CONVERT(int, @id)`;

export const listOwnedSchemas = `
  SELECT name FROM sys.schemas WHERE principal_id = CONVERT(int, @id)`;

export const listOwnedRoles = `
  SELECT name FROM sys.database_principals WHERE type = 'R' AND owning_principal_id = CONVERT(int, @id)`;

/** Which of the names applies depends on the class. */
export const listPermissions = `
  SELECT
    class_desc AS class, permission_name AS permission, state, major_id AS id, SCHEMA_NAME(major_id) AS [schema],
    OBJECT_SCHEMA_NAME(major_id) AS objectSchema, OBJECT_NAME(major_id) AS object, COL_NAME(major_id, minor_id) AS [column]
  FROM sys.database_permissions
  WHERE grantee_principal_id = CONVERT(int, @id)`;

/** About the login @id of the server. */
export const askLoginSettings = `
  SELECT default_database_name AS [default database], default_language_name AS [default language]
  FROM sys.server_principals
  WHERE principal_id = CONVERT(int, @id)`;

export const listServerRoles = `
  SELECT SUSER_NAME(role_principal_id) AS name, role_principal_id AS id
  FROM sys.server_role_members
  WHERE member_principal_id = CONVERT(int, @id)`;

/** Not on Azure SQL Database. */
export const listServerPermissions = `
  SELECT permission_name AS permission, state
  FROM sys.server_permissions
  WHERE grantee_principal_id = CONVERT(int, @id)`;

/** Names may be quoted with at most 128 characters; a longer name or secret becomes NULL, and so does the statement. */
const alterLogin = "N'ALTER LOGIN ' + QUOTENAME(@account) + ";
const alterUser = "N'ALTER USER ' + QUOTENAME(@account) + ";
const newSecret = "N' WITH PASSWORD = N' + QUOTENAME(@secret, '''')";
const oldSecret = " + N' OLD_PASSWORD = N' + QUOTENAME(@old, '''')";

/** A statement that does nothing would succeed, so a statement that is NULL is an error. */
const composed = (statement: string) => `
  SET LOCK_TIMEOUT 20000;
  DECLARE @statement nvarchar(max) = ${statement};
  IF @statement IS NULL THROW 50001, N'The name or the secret is too long to be quoted.', 1;
  EXEC sys.sp_executesql @statement;`;

/** The number of the error above. */
export const tooLongToQuote = 50_001;

export const setLoginSecret = composed(alterLogin + newSecret);
export const setOwnLoginSecret = composed(alterLogin + newSecret + oldSecret);
export const enableLogin = composed(`${alterLogin}N' ENABLE'`);
export const disableLogin = composed(`${alterLogin}N' DISABLE'`);
export const setUserSecret = composed(alterUser + newSecret);
export const setOwnUserSecret = composed(alterUser + newSecret + oldSecret);

/** In a user database of Azure SQL Database, which keeps copies of the logins of master. */
export const flushLogins = "DBCC FLUSHAUTHCACHE";
