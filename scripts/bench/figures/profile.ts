import type { Figure } from "../figure.ts";
import { number } from "../output/format-table.ts";
import { playRound } from "../rounds.ts";
import { startWorld } from "../world/world.ts";

const limitMs = 180_000;

/** Measures what the CPU of one instance is used for. */
export const profile: Figure = {
  name: "profile",
  about: "one instance, without the limits of the vault: what its CPU is used for",
  async measure({ rotations = 200, say }) {
    const world = await startWorld(rotations);
    try {
      const instance = world.startInstances(1, false);
      say("warm-up");
      await playRound(world, instance, { limitMs });
      await instance.startProfile();
      const { done } = await playRound(world, instance, { limitMs });
      const spent = Object.entries(await instance.endProfile()).toSorted(([, a], [, b]) => b - a);
      const all = spent.reduce((sum, [, microseconds]) => sum + microseconds, 0);
      const rows = spent.map(([area, microseconds]) => ({
        what: area,
        value: `${number((100 * microseconds) / all)} %`,
        note: `${number(microseconds / 1_000 / done, 1)} ms for a rotation`,
      }));
      const note = "samples of the main thread while it was busy; self time, by whose code it is";
      return [
        { what: "Main thread per rotation", value: `${number(all / 1_000 / done, 1)} ms`, note },
        ...rows,
      ];
    } finally {
      await world.close();
    }
  },
};
