import { describe, expect, onTestFinished, test } from "vitest";
import { parsePayload } from "../../shared/core/payload/payload.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import type { Target } from "../../shared/core/target.ts";
import { requestRotation } from "../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { mysql } from "../../shared/rotators/mysql/mysql.ts";
import { redis } from "../../shared/rotators/redis/redis.ts";
import type { Rotator } from "../../shared/rotators/rotator.ts";
import { startMysqlTarget } from "../contract/rotators/mysql-target.ts";
import { startRedisTarget } from "../contract/rotators/redis-target.ts";
import { makeWorld, open, overlapAdmin, type World } from "../engine/world.ts";

/** A real server with an admin, on which a plain client tries log-ins. */
interface Server {
  readonly admin: Credential;
  optionsWith(): unknown;
  account(name: string, secret: string): Promise<unknown>;
  logsIn(account: string, secret: string): Promise<boolean>;
  stop(): Promise<void>;
}

const systems: readonly (readonly [string, Rotator, () => Promise<Server>])[] = [
  ["MySQL", mysql, () => startMysqlTarget("mysql")],
  ["Redis", redis, () => startRedisTarget("redis")],
  ["Valkey", redis, () => startRedisTarget("valkey")],
];

function readPublished(world: World): { readonly account: string; readonly password: string } {
  const newest = world.vault.versions("app-db").at(-1);
  const found = newest && parsePayload(newest.value, []);
  if (!found) throw new Error("nothing is published");
  return { account: found.account, password: found.secret.reveal() };
}

describe.each(systems)("A single account of a real %s", (_name, rotator, start) => {
  test("is rotated while a consumer logs in all the time and is never refused; later the old password ends", async () => {
    const server = await start();
    onTestFinished(() => server.stop());
    const world = await makeWorld(overlapAdmin);
    await server.account("app", "first-secret-of-app");
    await storeAdmin(world, server.admin);
    const options = server.optionsWith();
    const target: Target = { ...world.target, type: rotator.type, options };
    const ports: Ports = {
      ...world.ports(open),
      rotator: () => rotator,
      deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
    };
    await workOn(ports, target);
    const passwords = [readPublished(world).password];
    let isOver = false;
    const answers: boolean[] = [];
    const consume = async () => {
      while (!isOver) {
        const { account, password } = readPublished(world);
        answers.push(await server.logsIn(account, password));
      }
    };
    const consumer = consume();
    for (let count = 0; count < 5; count++) {
      await requestRotation(ports, target, { reason: "operator", requestedBy: "test" });
      await workOn(ports, target);
      passwords.push(readPublished(world).password);
    }
    isOver = true;
    await consumer;
    expect(new Set(passwords).size).toBe(6);
    expect(answers.length).toBeGreaterThan(5);
    expect(answers).not.toContain(false);
    const [published = "", superseded = ""] = passwords.toReversed();
    expect(await server.logsIn("app", superseded)).toBe(true);
    world.advance(target.grace);
    await workOn(ports, target);
    expect(await server.logsIn("app", published)).toBe(true);
    for (const old of passwords.slice(0, -1)) expect(await server.logsIn("app", old)).toBe(false);
  });
});

async function storeAdmin(world: World, { account, secret }: Credential): Promise<void> {
  const value = new Secret(JSON.stringify({ username: account, password: secret.reveal() }));
  const content = { value, contentType: "application/json", tags: {} };
  await world.vault.write("app-admin", content, new AbortController().signal);
}
