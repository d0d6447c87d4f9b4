/** An error as the server sends it. `severity` is what the documentation calls class or level. */
export interface TdsRefusal {
  readonly number: number;
  readonly state: number;
  readonly severity: number;
  readonly message: string;
}

/** Errors of log-ins and statements, in the server's own words. */
export const tdsErrors = {
  loginFailed: (account: string): TdsRefusal => ({
    number: 18_456,
    state: 1,
    severity: 14,
    message: `Login failed for user '${account}'.`,
  }),
  disabled: (account: string): TdsRefusal => ({
    number: 18_470,
    state: 1,
    severity: 14,
    message: `Login failed for user '${account}'. Reason: The account is disabled.`,
  }),
  locked: (account: string): TdsRefusal => ({
    number: 18_486,
    state: 1,
    severity: 14,
    message: `Login failed for user '${account}' because the account is currently locked out. The system administrator can unlock it.`,
  }),
  expired: (account: string): TdsRefusal => ({
    number: 18_487,
    state: 1,
    severity: 14,
    message: `Login failed for user '${account}'.  Reason: The password of the account has expired.`,
  }),
  mustChange: (account: string): TdsRefusal => ({
    number: 18_488,
    state: 1,
    severity: 14,
    message: `Login failed for user '${account}'.  Reason: The password of the account must be changed.`,
  }),
  entraOnly: (account: string): TdsRefusal => ({
    number: 18_456,
    state: 1,
    severity: 14,
    message: `Login failed for user '${account}'. Reason: Azure Active Directory only authentication is enabled.`,
  }),
  noSuchDatabase: (database: string): TdsRefusal => ({
    number: 4060,
    state: 1,
    severity: 11,
    message: `Cannot open database "${database}" requested by the login. The login failed.`,
  }),
  unavailable: (database: string, server: string): TdsRefusal => ({
    number: 40_613,
    state: 1,
    severity: 17,
    message: `Database '${database}' on server '${server}' is not currently available. Please retry the connection later. If the problem persists, contact customer support, and provide them the session tracing ID of '00000000-0000-0000-0000-000000000000'.`,
  }),
  /** Of Azure SQL Database. Resource 2 is sessions; 1 would be workers. */
  sessionLimit: (most: number): TdsRefusal => ({
    number: 10_928,
    state: 1,
    severity: 20,
    message: `Resource ID : 2. The session limit for the database is ${most} and has been reached. See 'http://go.microsoft.com/fwlink/?LinkId=267637' for assistance.`,
  }),
  userConnections: (most: number): TdsRefusal => ({
    number: 17_809,
    state: 1,
    severity: 20,
    message: `Could not connect because the maximum number of '${most}' user connections has already been reached. The system administrator can use sp_configure to increase the maximum value. The connection has been closed.`,
  }),
  firewall: (server: string, client: string): TdsRefusal => ({
    number: 40_615,
    state: 1,
    severity: 14,
    message: `Cannot open server '${server}' requested by the login. Client with IP address '${client}' is not allowed to access the server. To enable access, use the Azure Management Portal or run sp_set_firewall_rule on the master database to create a firewall rule for this IP address or address range. It may take up to five minutes for this change to take effect.`,
  }),
  syntax: (near: string): TdsRefusal => ({
    number: 102,
    state: 1,
    severity: 15,
    message: `Incorrect syntax near '${near}'.`,
  }),
} as const;
