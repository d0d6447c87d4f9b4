import { afterEach, describe, expect, it } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import {
  admin,
  home,
  type MongodbBench,
  startMongodbBench,
} from "../contract/rotators/mongodb-bench.ts";

const current: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const next: Credential = { account: "app", secret: new Secret("S3cond~secret-of-app") };
const byAdmin: Using = { as: "admin", credential: admin };

const open: MongodbBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.double.inspection.connections.open).toBe(0);
    await bench.close();
  }
});

describe("several mongos", () => {
  async function cluster() {
    const first = await startMongodbBench({ isMongos: true });
    open.push(first);
    await first.addAccount(current.account, current.secret.reveal());
    const second = await startMongodbBench({ mongosBeside: first.double });
    open.push(second);
    const ports = [first, second].map(({ double }) => double.port);
    const options = mongodb.options.parse({
      hosts: ports.map((port) => `127.0.0.1:${port}`),
      authDatabase: home,
      tls: { mode: "disable" },
    });
    const signal = () => AbortSignal.timeout(20_000);
    const changed = { ...options, hosts: [`127.0.0.1:${ports[0]}`] };
    return {
      first,
      second,
      options,
      /** Changes the password at the first one. */
      change: () => mongodb.apply({ options: changed, next, using: byAdmin }, signal()),
      verify: (credential: Credential) => mongodb.verify({ options, credential }, signal()),
    };
  }

  it("accept a password only once each of them does", async () => {
    const { second, change, verify: verifyAll } = await cluster();
    await change();
    expect(await second.logsIn("app", current.secret.reveal())).toBe(true);
    expect(await verifyAll(next)).toBe("rejected");
    second.double.learn();
    expect(await verifyAll(next)).toBe("accepted");
    expect(await verifyAll(current)).toBe("rejected");
  });

  it("accept a password although one of them is down", async () => {
    const { second, change, verify: verifyAll } = await cluster();
    await change();
    second.double.faults.on("connect", { do: "reset-before-effect", times: Infinity });
    expect(await verifyAll(next)).toBe("accepted");
  });

  it("are unavailable when all of them are down", async () => {
    const { first, second, verify: verifyAll } = await cluster();
    for (const { double } of [first, second]) {
      double.faults.on("connect", { do: "reset-before-effect", times: Infinity });
    }
    await expect(verifyAll(current)).rejects.toBeInstanceOf(TargetUnavailableError);
  });

  it("are all searched for sessions", async () => {
    const { second, options } = await cluster();
    second.double.learn();
    const look = { options, account: "app", using: byAdmin };
    const isInUse = () => mongodb.hasSessions?.(look, AbortSignal.timeout(20_000));
    expect(await isInUse()).toBe(false);
    const leave = await second.stay("app", current.secret.reveal());
    expect(await isInUse()).toBe(true);
    await leave();
    await expect.poll(isInUse).toBe(false);
  });
});
