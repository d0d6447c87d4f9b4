import dns from "node:dns";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
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
import { type DnsDouble, lookUpLocally, type Records, startDnsDouble } from "../doubles/dns.ts";
import type { MongoDoubleOptions } from "../doubles/mongodb/server.ts";

const current: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const next: Credential = { account: "app", secret: new Secret("S3cond~secret-of-app") };
const byAdmin: Using = { as: "admin", credential: admin };
const patience = () => AbortSignal.timeout(20_000);

const benches: MongodbBench[] = [];
let names: DnsDouble | undefined;
beforeEach(() => {
  vi.spyOn(dns, "lookup").mockImplementation(lookUpLocally(".cluster.test"));
});
afterEach(async () => {
  await names?.close();
  for (const bench of benches.splice(0)) {
    await expect.poll(() => bench.double.inspection.connections.open).toBe(0);
    await bench.close();
  }
});

async function start(more: MongoDoubleOptions): Promise<MongodbBench> {
  const bench = await startMongodbBench(more);
  benches.push(bench);
  return bench;
}

/** The options of a target whose servers DNS names. */
async function optionsFor(records: Omit<Records, "srv"> = {}, changed: object = {}) {
  const srv = benches.map(({ double }) => ({ target: "db.cluster.test", port: double.port }));
  names = await startDnsDouble({
    "_mongodb._tcp.orders.cluster.test": { srv },
    "orders.cluster.test": records,
  });
  return mongodb.options.parse({
    srvHost: "orders.cluster.test",
    authDatabase: home,
    tls: { mode: "disable" },
    ...changed,
  });
}

const verify = (options: ReturnType<typeof mongodb.options.parse>, credential: Credential) =>
  mongodb.verify({ options, credential }, patience());

it("a replica set that DNS names is rotated, whatever its TXT record says about the log-in", async () => {
  const bench = await start({ replicaSet: "rs0" });
  await bench.addAccount("app", current.secret.reveal());
  const options = await optionsFor({ txt: ["authSource=elsewhere&replicaSet=rs0"] });
  await mongodb.apply({ options, next, using: byAdmin }, patience());
  expect(await verify(options, next)).toBe("accepted");
  expect(await verify(options, current)).toBe("rejected");
});

it("several mongos that DNS names are all checked", async () => {
  const first = await start({ isMongos: true });
  await first.addAccount("app", current.secret.reveal());
  const second = await start({ mongosBeside: first.double });
  const options = await optionsFor();
  await mongodb.apply({ options, next, using: byAdmin }, patience());
  expect(await verify(options, next)).toBe("rejected");
  for (const { double } of [first, second]) double.learn();
  expect(await verify(options, next)).toBe("accepted");
});

it("a name without records is not reached, and the sentence names the host", async () => {
  await start({});
  const options = await optionsFor({}, { srvHost: "nobody.cluster.test" });
  const failed = verify(options, current);
  await expect(failed).rejects.toBeInstanceOf(TargetUnavailableError);
  await expect(failed).rejects.toThrow("MongoDB at nobody.cluster.test");
  await expect(failed).rejects.toThrow("the host name is not known");
});
