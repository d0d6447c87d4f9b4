import type { Figure } from "../figure.ts";
import { mebibytes, number } from "../output/format-table.ts";
import { greatest, median } from "../output/statistics.ts";
import { playRound } from "../rounds.ts";
import { bundled } from "../world/bundled.ts";
import { startWorld } from "../world/world.ts";

const targets = 200;
const limitMs = 300_000;
const sampleMs = 500;

/** The flags with the values that Node 22 chooses on an instance of 512 MiB, the smallest of Flex Consumption. */
const asOnTheSmallest = ["--max-old-space-size=256", "--max-semi-space-size=1"];

/** Measures the memory of one instance over many rotations. */
export const memory: Figure = {
  name: "memory",
  about: "memory of one instance over 2,000 rotations",
  async measure({ rotations = 2_000, say }) {
    const count = Math.min(targets, rotations);
    const file = await bundled("instance");
    const world = await startWorld(count);
    const program = { file, nodeArguments: asOnTheSmallest };
    const instance = world.startInstances(1, false, program);
    const samples: number[] = [];
    const sample = async () => {
      samples.push((await instance.usage()).rssBytes);
    };
    try {
      await sample();
      const sampling = setInterval(() => void sample().catch(() => undefined), sampleMs);
      let done = 0;
      try {
        while (done < rotations) {
          done += (await playRound(world, instance, { limitMs })).done;
          say(`${done} of ${rotations}`);
        }
      } finally {
        clearInterval(sampling);
      }
      await sample();
      const [start = NaN] = samples;
      const note = `RSS, ${number(done)} rotations of ${count} targets; bundled, with the heap that Node chooses on 512 MiB (\`${asOnTheSmallest.join(" ")}\`)`;
      return [
        { what: "Memory of the app, at the start", value: mebibytes(start), note },
        { what: "Memory of the app, median", value: mebibytes(median(samples)) },
        { what: "Memory of the app, greatest", value: mebibytes(greatest(samples)) },
        { what: "Memory of the app, at the end", value: mebibytes(samples.at(-1) ?? NaN) },
      ];
    } finally {
      await world.close();
    }
  },
};
