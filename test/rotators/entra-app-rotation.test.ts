import { expect, onTestFinished, test } from "vitest";
import { parsePayload } from "../../shared/core/payload/payload.ts";
import type { Target } from "../../shared/core/target.ts";
import { minute } from "../../shared/core/time.ts";
import { requestRotation } from "../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import type { EntraAppOptions } from "../../shared/rotators/entra-app/entra-app.ts";
import type { Rotator } from "../../shared/rotators/rotator.ts";
import { startEntraBench } from "../contract/rotators/entra-app-bench.ts";
import { makeWorld, mintedBeside, open } from "../engine/world.ts";

/** An application whose secret Keyturn rotates: the real engine and rotator, the double of Graph, and the rest in memory. */
async function startWorld(lifetime = "180d") {
  let clock = () => Date.now();
  const bench = await startEntraBench({
    now: () => clock(),
    ...{ servers: 3, lag: 1, propagation: 20_000 },
  });
  const { graph, account } = bench;
  onTestFinished(() => graph.close());
  const world = await makeWorld({ ...mintedBeside, accounts: [account] });
  clock = () => Date.parse(world.now());
  graph.put({ text: `first-secret-of-${account}` });
  const rotator = bench.rotator();
  const target: Target = {
    ...world.target,
    ...{ type: "entra-app", options: bench.optionsWith({ lifetime }) },
    policy: { ...world.target.policy, expiry: "none" },
  };
  const portsOf = (one: Rotator<EntraAppOptions>): Ports => ({
    ...world.ports(open),
    rotator: () => one,
    deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
  });
  const ports = portsOf(rotator);
  const published = () => {
    const newest = world.vault.versions("app-db").at(-1);
    const found = newest && parsePayload(newest.value, []);
    if (!found) throw new Error("nothing is published");
    return { text: found.secret.reveal(), expiresAt: newest.expiresAt };
  };
  const record = async () => (await world.journal.read("app"))?.record;

  /** Works until the rotation is over, and moves the clock to each next step. */
  async function finish(): Promise<void> {
    for (let step = 0; step < 30; step++) {
      const next = await workOn(ports, target);
      if (!(await record())?.rotation) return;
      if (next !== undefined) world.advanceTo(next);
    }
    throw new Error("the rotation does not end");
  }
  const ask = () => requestRotation(ports, target, { reason: "operator", requestedBy: "test" });
  await workOn(ports, target);
  return { bench, world, target, ports, rotator, portsOf, published, record, finish, ask };
}

test("An application is rotated three times, once after a crash, while a client that logs in all the time is never refused", async () => {
  const { bench, world, target, ports, rotator, portsOf, published, finish, ask } =
    await startWorld();
  const { graph } = bench;
  const texts = [published().text];
  const over = new AbortController();
  const answers: boolean[] = [];
  const client = (async () => {
    while (!over.signal.aborted) answers.push(await bench.logsIn(published().text));
  })();

  await ask();
  await finish();
  texts.push(published().text);
  world.advance(target.grace);
  await workOn(ports, target);
  expect(bench.ids()).toHaveLength(1);

  await ask();
  const died = Promise.withResolvers<undefined>();
  const dying = portsOf({
    ...rotator,
    async mint(call, signal) {
      await rotator.mint?.(call, signal);
      died.resolve(undefined);
      return new Promise(() => undefined);
    },
  });
  void workOn(dying, target);
  await died.promise;
  const orphan = bench.ids().at(-1) ?? "";
  expect(bench.ids()).toHaveLength(2);
  world.advance(5 * minute);
  await finish();
  texts.push(published().text);
  expect(bench.ids()).not.toContain(orphan);

  await ask();
  await finish();
  texts.push(published().text);
  world.advance(target.grace);
  await workOn(ports, target);
  over.abort();
  await client;

  expect(new Set(texts).size).toBe(4);
  expect(answers.length).toBeGreaterThan(5);
  expect(answers).not.toContain(false);
  expect(bench.ids()).toHaveLength(1);
  expect(graph.accepts(texts.at(-1) ?? "")).toBe(true);
  for (const old of texts.slice(0, -1)) expect(graph.accepts(old)).toBe(false);
});

test("The published version expires when Entra ends the secret", async () => {
  const { bench, published, finish, ask } = await startWorld("200d");
  await ask();
  await finish();
  const [, created] = bench.graph.application.secrets;
  expect(created?.text).toBe(published().text);
  expect(Date.parse(published().expiresAt ?? "")).toBe(
    Math.floor((created?.end ?? 0) / 1_000) * 1_000,
  );
});

test("A lifetime that is too short for the policy is refused before anything is sent", async () => {
  const { bench, record, ask, target, ports } = await startWorld("100d");
  await ask();
  await workOn(ports, target);
  expect((await record())?.lastFailure?.message).toContain("Write lifetime: 122d");
  expect(bench.ids()).toHaveLength(1);
});
