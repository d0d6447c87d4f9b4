import { readFile } from "node:fs/promises";
import { escapeLiteral } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresqlBench, self, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();

let undo: () => Promise<void>;
beforeAll(async () => {
  // Requests what the stored verifier needs, as servers with old clients are set.
  undo = await bench.target.rule("hostssl all /^account_ 127.0.0.1/32 md5", async () => {
    const rows = await bench.target.sql(
      "SELECT FROM pg_hba_file_rules WHERE auth_method = 'md5' AND error IS NULL",
    );
    return rows.length > 0;
  });
});
afterAll(() => undo());

async function newMd5Account(): Promise<Credential> {
  const current = await bench.newAccount();
  const password = escapeLiteral(current.secret.reveal());
  await bench.target.sql("SET password_encryption = 'md5'");
  await bench.target.sql(`ALTER ROLE ${current.account} PASSWORD ${password}`);
  await bench.target.sql("RESET password_encryption");
  expect(await bench.storedFor(current.account)).toMatch(/^md5/);
  return current;
}

const kindOf = async ({ account }: Credential) =>
  (await bench.storedFor(account)).startsWith("md5") ? "md5" : "scram";

describe("the form of a stored PostgreSQL password", () => {
  it.each(["self", "admin"] as const)("stays MD5 when %s changes it", async (as) => {
    const current = await newMd5Account();
    const next = withNewSecret(current);
    await bench.apply(next, as === "self" ? self(current) : bench.admin());
    expect(await kindOf(next)).toBe("md5");
    expect(await bench.works(next)).toBe(true);
    expect(await bench.works(current)).toBe(false);
  });

  it.each(["self", "admin"] as const)(
    "stays SCRAM when %s changes it, although the server is set to md5",
    async (as) => {
      const current = await bench.newAccount();
      const { account } = as === "self" ? current : bench.target.admin;
      await bench.target.sql(`ALTER ROLE ${account} SET password_encryption = 'md5'`);
      const next = withNewSecret(current);
      await bench.apply(next, as === "self" ? self(current) : bench.admin());
      await bench.target.sql(`ALTER ROLE ${account} RESET password_encryption`);
      expect(await kindOf(next)).toBe("scram");
      expect(await bench.works(next)).toBe(true);
    },
  );

  it.each([
    ["scram-sha-256", "scram"],
    ["md5", "md5"],
  ])("is %s if the options say so", async (passwordEncryption, kind) => {
    const options = bench.optionsWith({ passwordEncryption });
    for (const current of [await newMd5Account(), await bench.newAccount()]) {
      const next = withNewSecret(current);
      await bench.apply(next, bench.admin(), options);
      expect(await kindOf(next)).toBe(kind);
      expect(await bench.works(next)).toBe(true);
    }
  });

  it("is reported while it is MD5, or about to change", async () => {
    const { account } = await newMd5Account();
    const { warnings } = await bench.examine(account);
    expect(warnings).toEqual([
      expect.stringContaining("keeps a verifier of the outdated form MD5"),
    ]);
    const options = bench.optionsWith({ passwordEncryption: "scram-sha-256" });
    const changing = await bench.examine(account, bench.admin(), { options });
    expect(changing.warnings).toEqual([expect.stringContaining("gets one for SCRAM")]);
    const scram = await bench.newAccount();
    expect((await bench.examine(scram.account)).warnings).toBeUndefined();
  });
});

describe("a clear password, where the options permit it", () => {
  const clear = (changed: object = {}) => bench.optionsWith({ sendPassword: "clear", ...changed });

  it.each(["md5", "scram"])(
    "becomes a verifier of the form %s that the account has",
    async (kind) => {
      const current = kind === "md5" ? await newMd5Account() : await bench.newAccount();
      const [bySelf, byAdmin] = [withNewSecret(current), withNewSecret(current)];
      await bench.apply(bySelf, self(current), clear());
      expect(await bench.works(bySelf)).toBe(true);
      await bench.apply(byAdmin, bench.admin(), clear());
      expect(await bench.works(byAdmin)).toBe(true);
      expect(await kindOf(byAdmin)).toBe(kind);
    },
  );

  it("is not logged by a server that logs everything, if the admin may change what is logged", async () => {
    const sql = (text: string) => bench.target.sql(text);
    const quiet = [
      "log_statement",
      "log_min_duration_statement",
      "log_min_error_statement",
      "log_parameter_max_length",
      "log_parameter_max_length_on_error",
    ].join(", ");
    await sql(`GRANT SET ON PARAMETER ${quiet} TO rotation_admin`);
    const current = await bench.newAccount();
    const next = withNewSecret(current);
    await bench.apply(next, bench.admin(), clear());
    await sql(`REVOKE SET ON PARAMETER ${quiet} FROM rotation_admin`);
    expect(await bench.works(next)).toBe(true);
    const logged = async () => readFile(bench.target.logFile, "utf8");
    expect(await logged()).not.toContain(next.secret.reveal());
    // The price, where it may not: this is why the option is off by default.
    const loud = withNewSecret(current);
    await bench.apply(loud, bench.admin(), clear());
    expect(await logged()).toContain(loud.secret.reveal());
  });

  it("is not sent if the server would take it for a verifier", async () => {
    const current = await bench.newAccount();
    const next = { account: current.account, secret: new Secret(`md5${"0".repeat(32)}`) };
    await expect(bench.apply(next, bench.admin(), clear())).rejects.toBeInstanceOf(
      ChangeRefusedError,
    );
    expect(await bench.works(current)).toBe(true);
  });

  it("is refused without TLS", () => {
    const tls = { mode: "disable" };
    expect(() => clear({ tls })).toThrow("must not be clear when tls.mode is disable");
  });
});
