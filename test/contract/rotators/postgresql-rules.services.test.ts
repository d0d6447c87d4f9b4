import { afterEach, describe, expect, it } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { newSecret, postgresqlBench, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();
const clear = () => bench.optionsWith({ sendPassword: "clear" });

/** Sets server settings, and waits until new sessions have them. */
async function setSystem(settings: Readonly<Record<string, string>>): Promise<void> {
  await bench.target.sql("ALTER SYSTEM RESET ALL");
  for (const [name, value] of Object.entries(settings)) {
    await bench.target.sql(`ALTER SYSTEM SET ${name} = '${value}'`);
  }
  await bench.target.sql("SELECT pg_reload_conf()");
  const preloaded = async () => {
    const client = await bench.target.connect();
    const { rows } = await client.query<Record<string, string>>("SHOW session_preload_libraries");
    await client.end();
    return rows[0]?.["session_preload_libraries"];
  };
  await expect.poll(preloaded).toBe(settings["session_preload_libraries"] ?? "");
}

/** As the module credcheck of PostgreSQL shows its rules to every account. */
async function withCredcheck(settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    await bench.target.sql(`ALTER ROLE rotation_admin SET credcheck.${name} = '${value}'`);
  }
}
afterEach(() => bench.target.sql("ALTER ROLE rotation_admin RESET ALL"));

const rulesFor = async (account: string, options = clear()) =>
  (await bench.examine(account, bench.admin(), { options, isProven: true })).rules;

describe("the password rules of a PostgreSQL server", () => {
  it("are unknown where no module shows any", async () => {
    const { account } = await bench.newAccount();
    expect(await rulesFor(account)).toBeUndefined();
  });

  it("are those of credcheck, if the server sees the password", async () => {
    const { account } = await bench.newAccount();
    await withCredcheck({
      encrypted_password_allowed: "on",
      password_min_length: "12",
      password_min_special: "2",
      password_min_digit: "1",
      password_min_upper: "1",
      password_min_lower: "1",
      password_min_repeat: "3",
      password_contain_username: "on",
      password_not_contain: "<>",
      password_contain: "-_",
    });
    expect(await rulesFor(account)).toEqual({
      source: "credcheck on the server",
      minLength: 12,
      atLeast: { digits: 1, symbols: 2, upper: 1, lower: 1 },
      without: "<>",
      oneOf: "-_",
      maxRun: 3,
      withoutAccount: true,
      ignoresCase: false,
    });
    expect(await rulesFor(account, bench.optionsWith())).toBeUndefined();
    await withCredcheck({ whitelist: `somebody,${account}` });
    expect(await rulesFor(account)).toBeUndefined();
  });

  it("are those of passwordcheck, which enforces them", async () => {
    await setSystem({
      "passwordcheck.min_password_length": "30",
      session_preload_libraries: "passwordcheck",
    });
    const current = await bench.newAccount();
    expect(await rulesFor(current.account)).toEqual({
      source: "passwordcheck on the server",
      minLength: 30,
      withoutAccount: true,
    });
    // What the server itself says is in the error, without the password.
    const short = { account: current.account, secret: new Secret("Sh0rt-password-1") };
    const refused = bench.apply(short, bench.admin(), clear());
    await expect(refused).rejects.toBeInstanceOf(ChangeRefusedError);
    await expect(refused).rejects.toThrow(/the server refuses the change: "password is too short"/);
    await bench.apply(withNewSecret(current), bench.admin(), clear());
    await setSystem({});
  });

  it("refuse verifiers, which is a missing right with the two ways out", async () => {
    const { account } = await bench.newAccount();
    await withCredcheck({ encrypted_password_allowed: "off" });
    const { right } = await bench.examine(account);
    expect(right).toEqual({
      is: "missing",
      why: expect.stringContaining("refuses a verifier") as string,
    });
    if (right.is === "missing") {
      expect(right.why).toContain("Set options.sendPassword to clear");
      expect(right.why).toContain("ALTER SYSTEM SET credcheck.encrypted_password_allowed = on");
    }
    const options = clear();
    expect((await bench.examine(account, bench.admin(), { options })).right).toEqual({
      is: "proven",
    });
    await withCredcheck({ encrypted_password_allowed: "on" });
    expect((await bench.examine(account)).right).toEqual({ is: "proven" });
  });
});

describe("the words of a PostgreSQL server that refuses a change", () => {
  it("are shown without any secret of the call", async () => {
    await setSystem({ session_preload_libraries: "passwordcheck" });
    const account = newSecret().reveal().slice(0, 20);
    await bench.target.account(account, newSecret().reveal());
    const refused = bench.apply({ account, secret: new Secret(account) }, bench.admin());
    await expect(refused).rejects.toThrow('"password must not equal user name"');
    await expect(refused).rejects.toThrow("set options.sendPassword to clear");
    await setSystem({});
  });
});
