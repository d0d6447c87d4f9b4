import sql, { type config } from "mssql";
import { Connection } from "tedious";
import { afterEach, expect, test } from "vitest";
import { startTdsDouble, type TdsDouble, type TdsDoubleOptions, tdsErrors } from "./tds/server.ts";

const admin = { account: "ktadmin", password: "First~Secret1" };
const second = { account: "ktadmin", password: "Second~Secret2" };

const doubles: TdsDouble[] = [];
afterEach(async () => {
  for (const double of doubles.splice(0)) await double.close();
});

async function start(options: TdsDoubleOptions = {}): Promise<TdsDouble> {
  const double = await startTdsDouble({ logins: [admin], ...options });
  doubles.push(double);
  return double;
}

interface LoggedIn {
  readonly accepted: boolean;
  readonly message?: string;
  /** Numbers of all errors that the server sent, which the thrown error does not carry. */
  readonly numbers: readonly number[];
}

type ConnectionOptions = NonNullable<ConstructorParameters<typeof Connection>[0]["options"]>;

/** One log-in with tedious, and out again. */
function logIn(
  double: TdsDouble,
  { account, password }: { account: string; password: string },
  options: ConnectionOptions = {},
): Promise<LoggedIn> {
  const connection = new Connection({
    server: "localhost",
    authentication: { type: "default", options: { userName: account, password } },
    options: {
      port: double.port,
      encrypt: true,
      cryptoCredentialsDetails: { ca: double.ca },
      connectTimeout: 4000,
      maxRetriesOnTransientErrors: 0,
      ...options,
    },
  });
  const numbers: number[] = [];
  connection.on("errorMessage", ({ number }) => numbers.push(number));
  connection.on("error", () => undefined);
  return new Promise((resolve) => {
    connection.connect((error) => {
      connection.close();
      resolve({
        accepted: error === undefined,
        ...(error === undefined ? {} : { message: error.message }),
        numbers,
      });
    });
  });
}

/** One query with mssql, which the pool precedes with a log-in to try the server out. */
async function query(
  double: TdsDouble,
  text: string,
  settings: Partial<config> = {},
): Promise<unknown> {
  const pool = new sql.ConnectionPool({
    server: "localhost",
    port: double.port,
    user: admin.account,
    password: admin.password,
    pool: { min: 0, max: 1 },
    ...settings,
    options: { encrypt: true, cryptoCredentialsDetails: { ca: double.ca }, ...settings.options },
  });
  try {
    await pool.connect();
    const { recordset } = await pool.request().query<Record<string, unknown>>(text);
    return [...recordset];
  } finally {
    await pool.close();
  }
}

test.each([
  ["TLS inside TDS packets", { encrypt: true }],
  ["no encryption", { encrypt: false }],
  ["TLS from the first byte", { encrypt: "strict" }],
])("mssql logs in and asks who it is over %s", async (_, options) => {
  const double = await start({ databases: ["Orders"] });
  const text = "SELECT SUSER_SNAME() AS account, DB_NAME() AS db, 1 AS one;";
  const settings = { database: "Orders", options: options as config["options"] };
  const rows = await query(double, text, settings);
  expect(rows).toEqual([{ account: "ktadmin", db: "Orders", one: 1 }]);
  expect(double.inspection.logins).toContainEqual({ account: "ktadmin", accepted: true });
});

test.each([true, "strict"] as const)(
  "with encrypt %s a certificate that is not trusted ends the log-in before a password is sent",
  async (encrypt) => {
    const double = await start();
    const { accepted, message } = await logIn(double, admin, {
      encrypt: encrypt as unknown as boolean,
      cryptoCredentialsDetails: {},
    });
    expect({ accepted, message }).toMatchObject({
      accepted: false,
      message: expect.stringMatching(/self.signed certificate/) as string,
    });
    expect(double.inspection.logins).toEqual([]);
  },
);

test("encryption can be required, as Azure SQL does, or not offered", async () => {
  const required = await start({ encryption: "required" });
  expect(await logIn(required, admin)).toMatchObject({ accepted: true });
  const plain = await logIn(required, admin, { encrypt: false });
  expect(plain.message).toMatch(/Server requires encryption/);
  const off = await start({ encryption: "off" });
  expect((await logIn(off, admin)).message).toMatch(/did not negotiate encryption/);
});

test("a changed password is accepted at once, and the old one is refused", async () => {
  const double = await start();
  double.setPassword("ktadmin", second.password);
  expect(await logIn(double, admin)).toEqual({
    accepted: false,
    message: "Login failed for user 'ktadmin'.",
    numbers: [18_456],
  });
  expect(await logIn(double, second)).toEqual({ accepted: true, numbers: [] });
  expect(double.inspection.accepts("ktadmin", second.password)).toBe(true);
});

test("a change can spread slowly: first the old password is valid, then the new one", async () => {
  const double = await start({ propagation: 3 });
  double.setPassword("ktadmin", second.password);
  expect(await logIn(double, second)).toMatchObject({ accepted: false, numbers: [18_456] });
  expect(await logIn(double, admin)).toMatchObject({ accepted: true });
  expect(await logIn(double, second)).toMatchObject({ accepted: false });
  expect(await logIn(double, second)).toMatchObject({ accepted: true });
  expect(await logIn(double, admin)).toMatchObject({ accepted: false });
});

test("passwords and names of every script arrive as they were sent", async () => {
  const odd = { account: "Jörg o'Brien]", password: "pä ß𝄞'\"\\;{}%~¥".padEnd(128, "ž") };
  const double = await start({ logins: [odd] });
  expect(await logIn(double, odd)).toMatchObject({ accepted: true });
  const otherCase = { ...odd, account: "JÖRG O'BRIEN]" };
  expect(await logIn(double, otherCase)).toMatchObject({ accepted: true });
  const onServer = { ...odd, account: `${odd.account}@keyturn-sql` };
  expect(await logIn(double, onServer)).toMatchObject({ accepted: true });
});

test("a disabled account is reported as such only for its right password", async () => {
  const double = await start({ logins: [{ ...admin, enabled: false }] });
  expect(await logIn(double, admin)).toMatchObject({ numbers: [18_470] });
  expect(await logIn(double, second)).toMatchObject({ numbers: [18_456] });
  double.setEnabled("ktadmin", true);
  expect(await logIn(double, admin)).toMatchObject({ accepted: true });
});

test("wrong guesses lock an account where the policy says so", async () => {
  const double = await start({ lockAfter: 2 });
  await logIn(double, second);
  await logIn(double, second);
  expect(await logIn(double, admin)).toMatchObject({ accepted: false, numbers: [18_486] });
  double.unlock("ktadmin");
  expect(await logIn(double, admin)).toMatchObject({ accepted: true });
});

test("a database can be unknown or unavailable for every account", async () => {
  const double = await start({ databases: ["Orders"] });
  const unknown = await logIn(double, admin, { database: "nowhere" });
  expect(unknown.numbers).toEqual([4060, 18_456]);
  double.setDatabase("Orders", "unavailable");
  const asleep = await logIn(double, second, { database: "Orders" });
  expect(asleep.numbers).toEqual([40_613]);
});

test("a temporary error is retried by the client unless retries are off", async () => {
  const double = await start();
  const fault = double.faults.on("login", { do: "refuse" });
  const retried = await logIn(double, admin, {
    maxRetriesOnTransientErrors: 1,
    connectionRetryInterval: 10,
  });
  expect(retried).toEqual({ accepted: true, numbers: [40_613] });
  expect(fault.fired).toBe(1);
  expect(double.inspection.logins.map(({ error }) => error)).toEqual([40_613, undefined]);
});

test("a firewall turns clients away with its own error", async () => {
  const double = await start();
  const firewall = tdsErrors.firewall("keyturn-sql", "127.0.0.1");
  double.faults.on("login", { do: "refuse", with: firewall, times: 2 });
  expect(await logIn(double, admin)).toMatchObject({ accepted: false, numbers: [40_615] });
  expect((await logIn(double, admin)).message).toMatch(/is not allowed to access the server/);
  expect(await logIn(double, admin)).toMatchObject({ accepted: true });
});

test.each(["reset-before-effect", "lost-reply-after-effect"] as const)(
  "a log-in that meets %s ends without a verdict",
  async (fault) => {
    const double = await start();
    double.faults.on("login", { do: fault });
    const { accepted, message, numbers } = await logIn(double, admin);
    expect({ accepted, numbers }).toEqual({ accepted: false, numbers: [] });
    expect(message).toMatch(/ECONNRESET|socket hang up|Connection lost/);
    expect(double.inspection.logins).toHaveLength(fault === "reset-before-effect" ? 0 : 1);
  },
);

test.each(["connect", "login"] as const)("silence at %s ends in a time-out", async (effect) => {
  const double = await start();
  double.faults.on(effect, { do: "hang" });
  const { message } = await logIn(double, admin, { connectTimeout: 200 });
  expect(message).toMatch(/Failed to connect .* in 200ms/);
  await expect.poll(() => double.inspection.connections.open, { timeout: 4000 }).toBe(0);
});

test("a slow log-in succeeds for a client that waits", async () => {
  const double = await start();
  const fault = double.faults.on("login", { do: "delay", ms: 50 });
  expect(await logIn(double, admin)).toMatchObject({ accepted: true });
  expect(fault.fired).toBe(1);
});

test("a query that hangs is cancelled by the client, and the connection goes on", async () => {
  const double = await start();
  const pool = new sql.ConnectionPool({
    server: "localhost",
    port: double.port,
    user: admin.account,
    password: admin.password,
    validateConnection: false,
    pool: { min: 0, max: 1 },
    options: { encrypt: true, cryptoCredentialsDetails: { ca: double.ca } },
  });
  await pool.connect();
  await pool.request().query("SELECT 1");
  const logins = double.inspection.logins.length;
  const hang = double.faults.on("query", { do: "hang" });
  const request = pool.request();
  const cancelled = expect(request.query("SELECT 2")).rejects.toMatchObject({ code: "ECANCEL" });
  await expect.poll(() => hang.fired, { timeout: 4000, interval: 10 }).toBe(1);
  request.cancel();
  await cancelled;
  const { recordset } = await pool.request().query<{ three: number }>("SELECT 3 AS three");
  expect(recordset[0]?.three).toBe(3);
  expect(double.inspection.logins.length).toBe(logins);
  await pool.close();
});

test("a statement that the double does not know is a syntax error", async () => {
  const double = await start();
  const work = query(double, "DROP EVERYTHING");
  await expect(work).rejects.toMatchObject({ number: 102, code: "EREQUEST" });
});

test("a hostile server repeats the password in its errors, an honest one never does", async () => {
  const double = await start();
  expect((await logIn(double, second)).message).not.toContain(second.password);
  double.faults.hostile = true;
  expect((await logIn(double, second)).message).toContain(second.password);
});

test("no connection is left open when its client is closed", async () => {
  const double = await start();
  await logIn(double, admin);
  await logIn(double, second);
  expect(double.inspection.connections.total).toBe(2);
  await expect.poll(() => double.inspection.connections.open, { timeout: 4000 }).toBe(0);
});

test("a client with another protocol is disconnected", async () => {
  const double = await start();
  const url = `http://127.0.0.1:${String(double.port)}/`;
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  expect(await logIn(double, admin)).toMatchObject({ accepted: true });
});
