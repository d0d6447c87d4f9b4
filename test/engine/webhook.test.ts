import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { secretKeeper } from "../../conformance/secret-keeper.ts";
import { parsePayload } from "../../shared/core/payload/payload.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { Target } from "../../shared/core/target.ts";
import { day } from "../../shared/core/time.ts";
import { requestRotation } from "../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { makeWebhook, type WebhookOptions } from "../../shared/rotators/webhook/webhook.ts";
import { admin, startWebhookBench, type WebhookBench } from "../doubles/webhook-endpoint.ts";
import {
  type Kind,
  makeWorld,
  open,
  pairAdmin,
  pairProof,
  singleAdmin,
  type World,
} from "./world.ts";

let bench: WebhookBench;
let world: World;
beforeEach(async () => {
  bench = await startWebhookBench();
});
afterEach(() => bench.stop());

/** A target of this kind on the reference server, and everything that Keyturn publishes about it. */
async function start(kind: Kind, options: WebhookOptions = bench.options) {
  world = await makeWorld(kind);
  for (const account of kind.accounts) bench.accounts.set(account, `first-secret-of-${account}`);
  await storeKey(admin.secret.reveal());
  const target: Target = { ...world.target, type: "webhook", options };
  const rotator = makeWebhook();
  const ports: Ports = {
    ...world.ports(open),
    rotator: () => rotator,
    deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
  };
  await workOn(ports, target);
  return {
    rotate: async () => {
      await requestRotation(ports, target, { reason: "operator", requestedBy: "test" });
      await workOn(ports, target);
    },
    work: () => workOn(ports, target),
  };
}

async function storeKey(key: string): Promise<void> {
  const value = new Secret(JSON.stringify({ username: admin.account, password: key }));
  const content = { value, contentType: "application/json", tags: {} };
  await world.vault.write("app-admin", content, new AbortController().signal);
}

function published(): { readonly account: string; readonly password: string } {
  const newest = world.vault.versions("app-db").at(-1);
  const found = newest && parsePayload(newest.value, []);
  if (!found) throw new Error("nothing is published");
  return { account: found.account, password: found.secret.reveal() };
}

const isPublishedValid = () => bench.accounts.logsIn(published().account, published().password);
const eventTypes = () => world.events.map(({ type }) => type);

describe("through an endpoint", () => {
  test("a single account gets a new secret, and the old one no longer logs in", async () => {
    const { rotate } = await start(singleAdmin);
    const before = published();
    await rotate();
    expect(published().password).not.toBe(before.password);
    expect(isPublishedValid()).toBe(true);
    expect(bench.accounts.logsIn(before.account, before.password)).toBe(false);
  });

  test("the accounts of a pair take turns; the superseded one works until its grace is over", async () => {
    const { rotate, work } = await start(pairAdmin);
    for (let turn = 1; turn <= 4; turn++) {
      const before = published();
      await rotate();
      const after = published();
      expect(after.account).not.toBe(before.account);
      expect([isPublishedValid(), bench.accounts.logsIn(before.account, before.password)]).toEqual([
        true,
        true,
      ]);
      world.advance(day);
      await work();
      expect([isPublishedValid(), bench.accounts.logsIn(before.account, before.password)]).toEqual([
        true,
        false,
      ]);
    }
    expect(eventTypes().filter((type) => type === "retired")).toHaveLength(4);
  });

  test("with retire: proof, the superseded account stays while somebody is logged in as it", async () => {
    const { rotate, work } = await start(pairProof);
    const before = published();
    await rotate();
    bench.stay(before.account, 1);
    for (let time = 1; time <= 3; time++) {
      world.advance(day);
      await work();
    }
    expect(bench.accounts.logsIn(before.account, before.password)).toBe(true);
    bench.stay(before.account, -1);
    for (let time = 1; time <= 4; time++) {
      world.advance(day);
      await work();
    }
    expect(bench.accounts.logsIn(before.account, before.password)).toBe(false);
    expect(isPublishedValid()).toBe(true);
  });

  test.each(["lost", "carried-out"] as const)(
    "a change whose request or reply was %s ends with one valid, published secret",
    async (kind) => {
      const proxy = await bench.line();
      const { rotate, work } = await start(singleAdmin, bench.optionsAt(proxy.port));
      const before = published();
      proxy.cutAt(`"operation":"apply"`, kind);
      await rotate();
      for (let time = 1; time <= 3; time++) {
        world.advance(day);
        await work();
      }
      expect(published().password).not.toBe(before.password);
      expect(isPublishedValid()).toBe(true);
      expect(eventTypes()).toContain("attempt-failed");
    },
  );

  test("a key that does not fit changes nothing, and a right one in the vault ends the trouble without a restart", async () => {
    const { rotate, work } = await start(singleAdmin);
    const before = published();
    await storeKey("a-key-that-the-endpoint-does-not-have");
    world.advance(day / 24);
    await rotate();
    expect(published()).toEqual(before);
    expect(isPublishedValid()).toBe(true);
    await storeKey(admin.secret.reveal());
    for (let time = 1; time <= 3; time++) {
      world.advance(day);
      await work();
    }
    expect(isPublishedValid()).toBe(true);
    await rotate();
    expect(published().password).not.toBe(before.password);
    expect(isPublishedValid()).toBe(true);
  });

  test("no event and no row of the journal contains a secret or the key", async () => {
    const { rotate, work } = await start(pairAdmin);
    await rotate();
    await storeKey("a-key-that-the-endpoint-does-not-have");
    await rotate();
    world.advance(day);
    await work();
    const keeper = secretKeeper(() => "unused");
    for (const name of world.vault.names()) {
      for (const { value } of world.vault.versions(name)) {
        const found = parsePayload(value, []);
        if (found) keeper.keep(found.secret.reveal());
      }
    }
    keeper.keep(admin.secret.reveal());
    keeper.expectNoneIn([
      world.events,
      world.notifier.sent,
      (await world.journal.read("app"))?.record,
    ]);
  });
});
