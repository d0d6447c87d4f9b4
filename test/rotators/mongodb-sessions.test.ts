import { afterEach, beforeEach, expect, test } from "vitest";
import { ChangeRefusedError } from "../../shared/core/errors.ts";
import { Secret, type Credential } from "../../shared/core/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb.ts";
import {
  admin,
  powerless,
  startMongodbBench,
  type MongodbBench,
} from "../contract/mongodb-bench.ts";

const app: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const password = app.secret.reveal();

let bench: MongodbBench;
beforeEach(async () => {
  bench = await startMongodbBench();
});
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

test("an admin who may not see who is connected is told which privilege is missing", async () => {
  await bench.addAccount("app", password);
  const refusal = hasSessions(powerless);
  await expect(refusal).rejects.toBeInstanceOf(ChangeRefusedError);
  await expect(refusal).rejects.toThrow("inprog");
});
