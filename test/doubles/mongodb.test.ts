import { type Document, MongoClient, MongoServerError } from "mongodb";
import { afterEach, expect, test } from "vitest";
import { type MongoDouble, type MongoDoubleOptions, startMongoDouble } from "./mongodb/server.ts";

const admin = {
  user: "root",
  password: "Adm1n~root",
  roles: [{ role: "userAdminAnyDatabase", db: "admin" }],
};
const app = { user: "app", password: "first-Secret1" };

const doubles: MongoDouble[] = [];
afterEach(async () => {
  for (const double of doubles.splice(0)) await double.close();
});

async function start(options: MongoDoubleOptions = {}): Promise<MongoDouble> {
  const double = await startMongoDouble({ iterations: 4096, users: [admin, app], ...options });
  doubles.push(double);
  return double;
}

interface LogIn {
  readonly user: string;
  readonly password: string;
  readonly db?: string;
  readonly socketTimeoutMS?: number;
  readonly serverSelectionTimeoutMS?: number;
}

function client(double: MongoDouble, as: LogIn): MongoClient {
  return new MongoClient(double.url, {
    auth: { username: as.user, password: as.password },
    authSource: as.db ?? "admin",
    directConnection: true,
    maxPoolSize: 1,
    serverSelectionTimeoutMS: as.serverSelectionTimeoutMS ?? 4000,
    socketTimeoutMS: as.socketTimeoutMS ?? 4000,
    retryReads: false,
    retryWrites: false,
    ...(double.ca === undefined ? {} : { tls: true, ca: double.ca }),
  });
}

async function as<T>(double: MongoDouble, who: LogIn, work: (client: MongoClient) => Promise<T>) {
  const connected = client(double, who);
  try {
    return await work(connected);
  } finally {
    await connected.close();
  }
}

const patience = { timeout: 4000, interval: 10 };

function givingUp() {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: () => {
      controller.abort();
    },
  };
}

const logIn = (double: MongoDouble, who: LogIn) =>
  as(double, who, (connected) => connected.db("admin").command({ connectionStatus: 1 }));

const setPassword = (double: MongoDouble, who: LogIn, user: string, pwd: unknown) =>
  setPasswordIn("admin", double, who, { updateUser: user, pwd });

const setPasswordIn = (db: string, double: MongoDouble, who: LogIn, command: Document) =>
  as(double, who, (connected) => connected.db(db).command(command));

async function failure(work: Promise<unknown>): Promise<Error> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error("nothing failed");
}

async function serverError(work: Promise<unknown>) {
  const error = await failure(work);
  if (!(error instanceof MongoServerError)) throw error;
  return { code: error.code, codeName: error.codeName, message: error.message };
}

test("an account logs in with its password and can read its own name", async () => {
  const double = await start();
  const status = await logIn(double, app);
  expect(status["authInfo"]).toMatchObject({ authenticatedUsers: [{ user: "app", db: "admin" }] });
  expect(double.inspection.logins).toEqual([{ user: "app", db: "admin", accepted: true }]);
});

test("a wrong password and an unknown account are refused alike", async () => {
  const double = await start();
  const wrong = await serverError(logIn(double, { ...app, password: "wrong" }));
  const unknown = await serverError(logIn(double, { user: "nobody", password: "wrong" }));
  expect(wrong).toEqual(unknown);
  expect(wrong).toMatchObject({ code: 18, codeName: "AuthenticationFailed" });
  expect(double.inspection.logins.map(({ accepted }) => accepted)).toEqual([false, false]);
});

test("an administrator changes a password: the old one is refused, the new one accepted", async () => {
  const double = await start();
  await setPassword(double, admin, "app", "second-Secret2");
  expect(await serverError(logIn(double, app))).toMatchObject({ code: 18 });
  await logIn(double, { ...app, password: "second-Secret2" });
  expect(double.inspection.performed("updateUser")).toBe(1);
  expect(await double.inspection.accepts("app", "second-Secret2")).toBe(true);
  expect(await double.inspection.accepts("app", app.password)).toBe(false);
});

test("awkward names and passwords of every script survive the change", async () => {
  const password = "pä ß\u00a0𝄞ª'\"\\%{}$,=;";
  const double = await start();
  const name = 'o\'brien "x" = a, ü';
  await as(double, admin, (connected) =>
    connected.db("orders").command({ createUser: name, pwd: "one", roles: [] }),
  );
  await setPasswordIn("orders", double, admin, { updateUser: name, pwd: password });
  await logIn(double, { user: name, password, db: "orders" });
  // SASLprep: a non-breaking space is a space, a feminine ordinal is an "a".
  await logIn(double, { user: name, password: "pä ß 𝄞a'\"\\%{}$,=;", db: "orders" });
});

test("the same name in another authentication database is another account", async () => {
  const double = await start({ users: [app, { ...app, db: "orders", password: "other" }] });
  await logIn(double, { user: "app", password: "other", db: "orders" });
  expect(await serverError(logIn(double, { ...app, db: "orders" }))).toMatchObject({ code: 18 });
});

test("an account changes its own password only with permission", async () => {
  const self = { user: "self", password: "own-Secret1", changeOwnPassword: true };
  const double = await start({ users: [admin, app, self] });
  await setPassword(double, self, "self", "own-Secret2");
  await logIn(double, { ...self, password: "own-Secret2" });
  expect(await serverError(setPassword(double, app, "app", "x"))).toMatchObject({ code: 13 });
  const other = setPassword(double, { ...self, password: "own-Secret2" }, "app", "taken");
  expect(await serverError(other)).toMatchObject({ code: 13, codeName: "Unauthorized" });
  await logIn(double, app);
});

test("a connection that is logged in outlives the change of its password", async () => {
  const double = await start();
  await as(double, app, async (connected) => {
    await connected.db("admin").command({ ping: 1 });
    await setPassword(double, admin, "app", "second-Secret2");
    const status = await connected.db("admin").command({ connectionStatus: 1 });
    expect(status["authInfo"]).toMatchObject({ authenticatedUsers: [{ user: "app" }] });
  });
});

test.each([
  ["an unknown account", { updateUser: "nobody", pwd: "x" }, 11],
  ["an empty password", { updateUser: "app", pwd: "" }, 50_687],
  ["a password of this century", { updateUser: "app", pwd: "😀" }, 50_692],
  ["no change at all", { updateUser: "app" }, 2],
  ["a password that is no text", { updateUser: "app", pwd: 5 }, 14],
  ["an unknown field", { updateUser: "app", password: "x" }, 40_415],
  ["an unreadable argument", { usersInfo: { name: "app" } }, 2],
  ["an account that exists", { createUser: "app", pwd: "x", roles: [] }, 51_003],
  ["an unknown role", { createUser: "b", pwd: "x", roles: ["king"] }, 31],
  ["an unknown command", { shutDownEverything: 1 }, 59],
])("%s is answered with the server's own error", async (_, command, code) => {
  const double = await start();
  const work = as(double, admin, (connected) => connected.db("admin").command(command));
  expect(await serverError(work)).toMatchObject({ code });
  await logIn(double, app);
});

test("mechanisms alone may only be reduced; a new password alone brings all of them back", async () => {
  const double = await start();
  const mechanisms = () => double.inspection.users().find(({ user }) => user === "app")?.mechanisms;
  const update = (fields: object) =>
    as(double, admin, (connected) =>
      connected.db("admin").command({ updateUser: "app", ...fields }),
    );
  expect(await serverError(update({ mechanisms: ["SCRAM-SHA-1"] }))).toMatchObject({ code: 2 });
  await update({ pwd: "second-Secret2" });
  expect(mechanisms()).toEqual(["SCRAM-SHA-1", "SCRAM-SHA-256"]);
  await update({ pwd: "third-Secret3", mechanisms: ["SCRAM-SHA-256"] });
  expect(mechanisms()).toEqual(["SCRAM-SHA-256"]);
});

test("the older mechanism works for accounts that have it", async () => {
  const old = { user: "old", password: "ä old", mechanisms: ["SCRAM-SHA-1"] } as const;
  const double = await start({ users: [old] });
  await logIn(double, old);
  expect(await serverError(logIn(double, { ...old, password: "x" }))).toMatchObject({ code: 18 });
});

test("bytes that are not a message end the connection and nothing else", async () => {
  const double = await start();
  await expect(fetch(`http://127.0.0.1:${String(double.port)}/`)).rejects.toThrow("fetch failed");
  await logIn(double, app);
});

test("only greetings are answered before a log-in", async () => {
  const double = await start();
  const anonymous = new MongoClient(double.url, { directConnection: true });
  try {
    await anonymous.db("admin").command({ ping: 1 });
    const work = anonymous.db("admin").command({ updateUser: "app", pwd: "x" });
    expect(await serverError(work)).toMatchObject({ code: 13 });
  } finally {
    await anonymous.close();
  }
});

test("TLS is verified against the authority that the double names", async () => {
  const double = await start({ tls: true });
  await logIn(double, app);
  const untrusting = new MongoClient(double.url, { tls: true, serverSelectionTimeoutMS: 300 });
  const error = await failure(untrusting.db("admin").command({ ping: 1 }));
  expect(error.message).toMatch(/self.signed certificate/);
  await untrusting.close();
});

test("a lost reply leaves the new password in force", async () => {
  const double = await start();
  const fault = double.faults.on("updateUser", { do: "lost-reply-after-effect" });
  const error = await failure(setPassword(double, admin, "app", "second-Secret2"));
  expect(error.name).toBe("MongoNetworkError");
  expect(fault.fired).toBe(1);
  await logIn(double, { ...app, password: "second-Secret2" });
});

test("a reset before the effect leaves the old password in force, and fires once", async () => {
  const double = await start();
  double.faults.on("updateUser", { do: "reset-before-effect" });
  await failure(setPassword(double, admin, "app", "second-Secret2"));
  await logIn(double, app);
  await setPassword(double, admin, "app", "second-Secret2");
});

test("a log-in can be refused with any error, as often as wanted", async () => {
  const double = await start();
  const with_ = { code: 11_600, codeName: "InterruptedAtShutdown", message: "shutting down" };
  const fault = double.faults.on("login", { do: "refuse", with: with_, times: 2 });
  expect(await serverError(logIn(double, app))).toMatchObject({ code: 11_600 });
  expect(await serverError(logIn(double, app))).toMatchObject({ code: 11_600 });
  await logIn(double, app);
  expect(fault.fired).toBe(2);
});

test("the client times out on a server that never answers, and nothing is changed", async () => {
  const double = await start();
  const hurried = { ...admin, socketTimeoutMS: 150 };
  double.faults.on("updateUser", { do: "hang" });
  const change = await failure(setPassword(double, hurried, "app", "x"));
  expect(change.message).toMatch(/timed out/);
  double.faults.on("login", { do: "hang" });
  expect((await failure(logIn(double, hurried))).message).toMatch(/timed out/);
  await logIn(double, app);
});

test("a delayed change takes effect after the client has timed out", async () => {
  const double = await start();
  const held = double.faults.on("updateUser", { do: "delay", ms: 3_600_000 });
  const { signal, abort } = givingUp();
  const change = failure(
    as(double, admin, (connected) =>
      connected.db("admin").command({ updateUser: "app", pwd: "late" }, { signal }),
    ),
  );
  await expect.poll(() => held.fired, patience).toBe(1);
  abort();
  await change;
  await logIn(double, app);
  held.letGo();
  await expect.poll(() => double.inspection.accepts("app", "late"), patience).toBe(true);
});

test("a dead server gives another error than one that refuses", async () => {
  const double = await start();
  double.faults.on("connect", { do: "reset-before-effect", times: Infinity });
  const error = await failure(logIn(double, { ...app, serverSelectionTimeoutMS: 200 }));
  expect(error.name).toBe("MongoServerSelectionError");
  expect(double.inspection.logins).toEqual([]);
});

test("a hostile server repeats the password in its errors, an honest one never does", async () => {
  const double = await start();
  const refused = () => serverError(setPassword(double, app, "root", "presented-Secret"));
  expect((await refused()).message).not.toContain("presented-Secret");
  double.faults.hostile = true;
  expect((await refused()).message).toContain("presented-Secret");
});

test("no connection is left open when its client is closed", async () => {
  const double = await start();
  await logIn(double, app);
  expect(double.inspection.connections.total).toBeGreaterThan(0);
  await expect.poll(() => double.inspection.connections.open, patience).toBe(0);
});
