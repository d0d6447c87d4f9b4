import { expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../../../local/free-port.ts";
import { redis } from "../../../shared/rotators/redis/redis.ts";
import {
  newSecret,
  type RedisKind,
  redisKinds,
  type StartedRedisTarget,
  startRedisTarget,
} from "./redis-target.ts";

const signal = () => AbortSignal.timeout(30_000);

async function startNode(kind: RedisKind) {
  const busPort = String(await findFreePort());
  const flags = ["--cluster-enabled", "yes", "--cluster-port", busPort, "--tls-cluster", "yes"];
  const node = await startRedisTarget(kind, { users: "config", flags });
  onTestFinished(() => node.stop());
  return { node, busPort };
}

const isWhole = async (node: StartedRedisTarget) =>
  (await node.text("CLUSTER", "INFO")).includes("cluster_state:ok");

/** Two primary nodes, each with half of the keys. */
async function startCluster(kind: RedisKind) {
  const [{ node: first }, { node: second, busPort }] = [
    await startNode(kind),
    await startNode(kind),
  ];
  const { host, port } = second.server;
  await first.command("CLUSTER", "MEET", host, String(port), busPort);
  await first.command("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
  await second.command("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
  for (const node of [first, second]) {
    await expect.poll(() => isWhole(node), { timeout: 30_000 }).toBe(true);
  }
  return [first, second] as const;
}

test.each(redisKinds)("the rotator redis changes every node of a cluster of %s", async (kind) => {
  const nodes = await startCluster(kind);
  const [first, second] = nodes;
  const credential = { account: "cluster_admin", secret: newSecret() };
  const [keep, next] = [newSecret(), newSecret()].map((secret) => ({ account: "app", secret }));
  if (keep === undefined || next === undefined) throw new Error("two secrets are needed");
  for (const node of nodes) {
    for (const { account, secret } of [credential, keep]) {
      await node.account(account, secret.reveal());
    }
  }
  const options = redis.options.parse({
    ...{ host: "127.0.0.1", port: first.plainPort, tls: { mode: "disable" } },
    nodes: [{ host: "127.0.0.1", port: second.plainPort }],
  });
  const call = { options, using: { as: "admin", credential } as const };
  await redis.apply({ ...call, next, keep }, signal());
  expect(await redis.verify({ options, credential: next }, signal())).toBe("accepted");
  await redis.discard?.({ ...call, keep: next }, signal());
  for (const node of nodes) {
    await node.restart();
    expect(await node.logsIn("app", next.secret.reveal())).toBe(true);
    expect(await node.logsIn("app", keep.secret.reveal())).toBe(false);
  }
});
