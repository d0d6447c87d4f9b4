import { afterEach, describe, expect, test } from "vitest";
import { secretKeeper } from "../../conformance/secret-keeper.ts";
import { parsePayload } from "../../shared/core/payload/payload.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import type { PayloadFormat, Target } from "../../shared/core/target.ts";
import { day, minute } from "../../shared/core/time.ts";
import { requestRotation } from "../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import {
  type KeyServiceName,
  keyServices,
} from "../../shared/rotators/azure-key/azure-key-services.ts";
import { type KeyBench, startKeyBench } from "../contract/rotators/azure-key-bench.ts";
import type { ArmDoubleOptions } from "../doubles/arm/server.ts";
import { makeWorld, mintedPair, open, type World } from "./world.ts";

let bench: KeyBench;
let world: World;
afterEach(() => bench.close());

interface Settings {
  readonly service?: KeyServiceName;
  readonly as?: PayloadFormat;
  readonly arm?: Omit<ArmDoubleOptions, "resources">;
  /** Milliseconds for every call. */
  readonly within?: number;
}

/** A target with the keys of a resource, of which consumers read the first one. */
async function start({ service = "storage", as = "json", arm, within }: Settings = {}) {
  world = await makeWorld(mintedPair);
  bench = await startKeyBench(service, {}, arm);
  const rotator = bench.rotator();
  const { options } = bench;
  const [idle = "", first = ""] = rotator.defaultAccounts?.(options) ?? [];
  const target: Target = {
    ...world.target,
    ...{ type: "azure-key", options, slots: [{ account: idle }, { account: first }] },
    publish: { ...world.target.publish, as },
  };
  const secret = bench.valueOf(first);
  const texts = {
    json: JSON.stringify({ username: first, password: secret.reveal() }),
    password: secret.reveal(),
    "connection-string":
      as === "connection-string"
        ? rotator.toConnectionString?.(options, { account: first, secret }).reveal()
        : undefined,
  };
  const value = new Secret(texts[as] ?? "");
  await world.vault.write(
    "app-db",
    { value, contentType: "", tags: {} },
    AbortSignal.timeout(1_000),
  );
  const ports: Ports = {
    ...world.ports(open),
    rotator: () => rotator,
    deadline: (milliseconds) => AbortSignal.timeout(within ?? milliseconds),
  };
  const work = async (times = 1) => {
    for (let time = 1; time <= times; time++) {
      await workOn(ports, target);
      world.advance(minute);
    }
  };
  await work();
  return {
    idle,
    first,
    work,
    rotate: async () => {
      await requestRotation(ports, target, { reason: "operator", requestedBy: "test" });
      await work(3);
    },
  };
}

/** The key that consumers read now, whatever the form. */
function published(): string {
  const newest = world.vault.versions("app-db").at(-1)?.value;
  if (newest === undefined) throw new Error("nothing is published");
  const read = bench.rotator().readConnectionString?.(newest) ?? parsePayload(newest, []);
  return (read?.secret ?? newest).reveal();
}

const isPublishedValid = () => bench.keys.has(published());

describe("the keys of a resource of Azure", () => {
  test.each([
    ["storage", "json"],
    ["storage", "password"],
    ["storage", "connection-string"],
    // It has no connection strings.
    ["cognitive", "json"],
    ["cognitive", "password"],
  ] as const)(
    "of %s take turns when they are published as %s, and the superseded one ends after its grace",
    async (service, as) => {
      const { rotate, work } = await start({ service, as });
      for (let turn = 1; turn <= 3; turn++) {
        const before = published();
        await rotate();
        expect(published()).not.toBe(before);
        expect([isPublishedValid(), bench.keys.has(before)]).toEqual([true, true]);
        world.advance(day);
        await work();
        expect([isPublishedValid(), bench.keys.has(before)]).toEqual([true, false]);
      }
      expect(bench.creations()).toBe(6);
    },
  );

  const services = Object.keys(keyServices) as KeyServiceName[];
  test.each(services)("of %s take turns, with or without a connection string", async (service) => {
    const { rotate, idle } = await start({ service });
    await rotate();
    expect(published()).toBe(bench.valueOf(idle).reveal());
    const { value } = world.vault.versions("app-db").at(-1) ?? {};
    expect("connectionString" in JSON.parse(value?.reveal() ?? "{}")).toBe(
      "toText" in keyServices[service],
    );
  });

  test("are not regenerated twice after a lost answer, because the time of the key shows that it was created", async () => {
    const { rotate, idle } = await start();
    bench.arm.faults.on("regenerate", { do: "lost-reply-after-effect" });
    await rotate();
    await rotate();
    expect(published()).toBe(bench.valueOf(idle).reveal());
    expect(bench.creations()).toBe(1);
  });

  test("wait for an operation that goes on, and take the key that it has created", async () => {
    const arm = { effectAt: "completion", ticks: 1_000_000 } as const;
    const { rotate, work, idle, first } = await start({ service: "cosmos-db", arm, within: 1_500 });
    await rotate();
    expect(published()).toBe(bench.valueOf(first).reveal());
    await bench.arm.settle();
    await work(12);
    expect(published()).toBe(bench.valueOf(idle).reveal());
    expect(bench.creations()).toBe(1);
  });

  test("stay as they are when Azure refuses to regenerate them", async () => {
    const { rotate } = await start({ service: "search" });
    const before = published();
    bench.arm.faults.on("regenerate", {
      do: "refuse",
      with: { status: 403, code: "No" },
      times: 9,
    });
    await rotate();
    expect(published()).toBe(before);
    expect(isPublishedValid()).toBe(true);
  });

  test("are in no event and no row of the journal", async () => {
    const { rotate, work } = await start({ as: "connection-string", arm: { hostile: true } });
    const keeper = secretKeeper(() => "unused");
    const keepAll = () => {
      for (const { value } of bench.keys.now.values()) keeper.keep(value);
    };
    keepAll();
    await rotate();
    keepAll();
    bench.arm.faults.on("regenerate", { do: "refuse", with: { status: 500 } });
    bench.arm.faults.on("list", { do: "refuse", with: { status: 400, code: "BadRequest" } });
    await rotate();
    world.advance(day);
    await work();
    keepAll();
    const row = await world.journal.read("app");
    keeper.expectNoneIn([world.events, world.notifier.sent, row?.record]);
  });
});
