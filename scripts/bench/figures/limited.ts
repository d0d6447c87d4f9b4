import type { Figure } from "../figure.ts";
import { number } from "../output/format-table.ts";
import { playRound } from "../rounds.ts";
import { startWorld } from "../world/world.ts";

const limitMs = 240_000;

/** Measures the rotations per second of one instance with the limits of a real vault. */
export const limited: Figure = {
  name: "limited",
  about: "one instance, with the limits of the vault: rotations/s",
  async measure({ rotations = 300, say }) {
    const world = await startWorld(rotations);
    try {
      const instances = world.startInstances();
      say("warm-up, without limits");
      await playRound(world, instances, { limitMs });
      await world.vault.limit(1);
      const { done, tookMs, throttled, counts } = await playRound(world, instances, { limitMs });
      const missing = rotations - done;
      return [
        {
          what: "Rotations/s, one instance, vault with its real limits",
          value: number(done / (tookMs / 1_000), 1),
          note: `${done} of ${rotations} done in ${number(tookMs / 1_000)} s${missing > 0 ? "; the others wait for another attempt" : ""}`,
        },
        { what: "Answers 429 meanwhile", value: number(throttled) },
        {
          what: "Calls of the storage for the pace, per rotation",
          value: number(counts.paceCalls / done, 2),
        },
      ];
    } finally {
      await world.close();
    }
  },
};
