import { afterEach, beforeEach, expect, test } from "vitest";
import { ChangeRefusedError } from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import {
  admin,
  type MongodbBench,
  powerless,
  startMongodbBench,
} from "../contract/rotators/mongodb-bench.ts";
import type { MongoDoubleOptions } from "../doubles/mongodb/server.ts";

const app: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const password = app.secret.reveal();

let bench: MongodbBench;
beforeEach(async () => {
  bench = await startMongodbBench();
});

async function restart(options: MongoDoubleOptions): Promise<void> {
  await bench.close();
  bench = await startMongodbBench(options);
}

afterEach(async () => {
  await expect.poll(() => bench.double.inspection.connections.open).toBe(0);
  await bench.close();
});

async function hasSessions(as: Credential = admin): Promise<boolean | undefined> {
  const using = { as: "admin", credential: as } as const;
  const look = { options: bench.optionsWith(), account: "app", using };
  return mongodb.hasSessions?.(look, AbortSignal.timeout(20_000));
}

test("an account of the same name in another authentication database is another account", async () => {
  await bench.addAccount("app", password);
  await bench.addAccount("app", password, { db: "elsewhere" });
  const leave = await bench.stay("app", password, "elsewhere");
  expect(await hasSessions()).toBe(false);
  const leaveToo = await bench.stay("app", password);
  expect(await hasSessions()).toBe(true);
  await leave();
  await leaveToo();
});

test("an admin that may not list connections gets the missing privilege", async () => {
  await bench.addAccount("app", password);
  const refusal = hasSessions(powerless);
  await expect(refusal).rejects.toBeInstanceOf(ChangeRefusedError);
  await expect(refusal).rejects.toThrow("inprog");
});

test("an admin that may not list connections gets the command that grants the privilege", async () => {
  await bench.addAccount("app", password);
  await expect(hasSessions(powerless)).rejects.toThrow(
    'db.getSiblingDB("admin").grantRolesToUser("powerless", [{"role":"clusterMonitor","db":"admin"}])',
  );
});

test("a list without names of users does not prove that an account is unused", async () => {
  await restart({ lacks: ["effectiveUsers"] });
  await bench.addAccount("app", password);
  const leave = await bench.stay("app", password);
  const refusal = hasSessions();
  await expect(refusal).rejects.toBeInstanceOf(ChangeRefusedError);
  await expect(refusal).rejects.toThrow("Keyturn cannot find out who is logged in");
  await leave();
});

test("an answer without privileges counts only when it shows a connection", async () => {
  await restart({ lacks: ["privileges"] });
  await bench.addAccount("app", password);
  await expect(hasSessions()).rejects.toBeInstanceOf(ChangeRefusedError);
  const leave = await bench.stay("app", password);
  expect(await hasSessions()).toBe(true);
  await leave();
});

test("Keyturn's own connection does not count, even as the same account", async () => {
  const roles = [{ role: "clusterMonitor", db: "admin" }];
  await bench.addAccount("app", password, { roles });
  const using = { as: "self", credential: app } as const;
  const look = { options: bench.optionsWith(), account: "app", using };
  const ask = () => mongodb.hasSessions?.(look, AbortSignal.timeout(20_000));
  expect(await ask()).toBe(false);
  const leave = await bench.stay("app", password);
  expect(await ask()).toBe(true);
  await leave();
});
