import { expect, test } from "vitest";
import { computeFingerprint } from "../../../../shared/core/target.ts";
import { day } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { recordUse } from "../../../../shared/engine/inbox/record-use.ts";
import type { Ports } from "../../../../shared/engine/ports.ts";
import { register } from "../../../../shared/engine/scheduling/register.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { withPolicy } from "../../policy-world.ts";
import { race } from "../../proofs/races.ts";
import type { Worker } from "../../proofs/stops.ts";
import { readRecord } from "../../steps.ts";
import { kinds, open, type World } from "../../world.ts";

const edit = (world: World) => withPolicy(world, { every: 80 * day, afterIdle: 40 * day }).target;

/** Events that happen to a target while its rotation is under way. */
const disturbances: readonly ((ports: Ports, world: World) => Promise<unknown>)[] = [
  () => Promise.resolve(),
  (ports, world) => register(ports, [edit(world)]),
  (ports, world) => recordUse(ports, edit(world), { by: "the orders service" }),
  (ports, world) => register(ports, [world.target]),
  (ports, world) => expose(ports, world.target, { by: "ben", kind: "exposure" }),
];

test.each(kinds)(
  "Old and new deployments, edits and reports in any order lose nothing and agree at the end: $name",
  async (kind) => {
    for (let seed = 0; seed < 40; seed++) {
      let turn = 0;
      let met: World | undefined;
      const worker: Worker = async (ports, world) => {
        met = world;
        const here = turn++;
        await disturbances[here % disturbances.length]?.(ports, world);
        return workOn(ports, here % 2 === 0 ? world.target : edit(world));
      };
      expect(await race(kind, seed, worker), `seed ${seed}`).toEqual([]);
      if (!met) throw new Error("nobody worked");
      expect(await register(met.ports(open), [edit(met)])).toMatchObject({ settled: true });
      const { policyFingerprint, lastUsedAt } = await readRecord(met);
      expect(policyFingerprint).toBe(computeFingerprint(edit(met)));
      expect(lastUsedAt, `seed ${seed}`).toBeDefined();
    }
  },
);
