import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import { ConfigError, TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { postgresql } from "../../shared/rotators/postgresql/postgresql.ts";
import {
  lookError,
  toChangeError,
  toLoginError,
} from "../../shared/rotators/postgresql/postgresql-errors.ts";

/** A message of the server: a letter, its length, and its content. */
function message(letter: string, ...parts: readonly (number | string)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(`${part}\0`);
      const number = Buffer.alloc(4);
      number.writeInt32BE(part);
      return number;
    }),
  );
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const [ok, cleartext, kerberos, sspi] = [0, 3, 7, 9].map((code) => message("R", code));
const scram = message("R", 10, "SCRAM-SHA-256", "");
const welcome = Buffer.concat([
  ok ?? Buffer.alloc(0),
  message("K", 1, 2),
  Buffer.from("Z\0\0\0\x05I"),
]);
const done = Buffer.concat([message("C", "SELECT 1"), Buffer.from("Z\0\0\0\x05I")]);

/** A refusal with these fields. PostgreSQL itself always names the function that refuses. */
const refusal = (fields: Readonly<Record<string, string>>) =>
  message("E", ...Object.entries(fields).map(([letter, text]) => `${letter}${text}`), "");

let server: Listening;
afterEach(async () => {
  await expect.poll(() => server.connections.open).toBe(0);
  await server.close();
});

/** Answers each message with the next given answer, and all later ones with a result. */
async function logInTo(...answers: readonly (Buffer | undefined)[]): Promise<string> {
  server = await listen(
    createServer((socket: Socket) => {
      const left = [...answers];
      socket.on("data", () => socket.write(left.shift() ?? done));
    }),
  );
  const { port } = server;
  const options = postgresql.options.parse({ host: "127.0.0.1", port, tls: { mode: "disable" } });
  const credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
  return postgresql.verify({ options, credential }, AbortSignal.timeout(20_000));
}

describe("a log-in to PostgreSQL", () => {
  it("counts when the server requested the password", async () => {
    expect(await logInTo(cleartext, welcome)).toBe("accepted");
  });

  it.each([
    ["lets the account in unasked", [welcome]],
    ["requests SCRAM, and lets the account in without having proven itself", [scram, welcome]],
    ["requests a Kerberos ticket", [kerberos]],
    ["requests a Windows ticket", [sspi]],
    ["requests a kind of SCRAM that is not known", [message("R", 10, "SCRAM-NEW", "")]],
  ])("proves nothing when the server %s", async (_, answers) => {
    const failed = logInTo(...answers);
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
    await expect(failed).rejects.toThrow("account app");
    await expect(failed).rejects.toThrow("scram-sha-256");
  });
});

describe("a pooler in front of PostgreSQL", () => {
  // The first are those of PgBouncer 1.18 and 1.24.
  it.each([
    { C: "08P01", M: "SASL authentication failed" },
    { C: "08P01", M: "password authentication failed" },
    { C: "28P01", M: "password authentication failed" },
    { C: "08P01", M: "no such user" },
    { C: "08P01", M: "bouncer config error" },
    { C: "08P01", M: "no such database: shop" },
    { C: "08P01", M: "no more connections allowed (max_client_conn)" },
    { C: "08P01", M: "query_wait_timeout" },
    // Other poolers.
    { C: "08006", M: "odyssey: c1b2: route for 'shop.app' is not found" },
    { C: "58000", M: 'No pool configured for database: "shop", user: "app"' },
    { C: "XX000", M: "Tenant or user not found" },
    { C: "28000", M: "This RDS proxy has no credentials for the role app." },
  ])("is recognised by its answer %j, which says nothing about the password", async (fields) => {
    const failed = logInTo(cleartext, refusal({ S: "FATAL", ...fields }));
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
    await expect(failed).rejects.toThrow("a connection pooler answers");
    await expect(failed).rejects.toThrow("options.direct");
  });

  it("is not suspected when PostgreSQL itself refuses the password", async () => {
    const fields = { S: "FATAL", C: "28P01", M: "password authentication failed for user" };
    expect(await logInTo(cleartext, refusal({ ...fields, R: "auth_failed" }))).toBe("rejected");
  });
});

describe("a limit of PostgreSQL that ends the session or the statement", () => {
  it.each([
    ["25P03", "idle_in_transaction_session_timeout"],
    ["25P04", "transaction_timeout"],
    ["57014", "the server cancelled the statement"],
    ["57P05", "idle_session_timeout"],
  ])("does not refuse the change, and is named: %s", (sqlState, part) => {
    const failure = { sqlState, routine: "ProcessInterrupts", words: "terminating connection" };
    const errors = [
      toLoginError(failure, "here"),
      lookError(failure, "here"),
      toChangeError(failure, "here", "advice about passwords"),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain(part);
      expect(error.message).not.toContain("advice");
    }
  });
});
