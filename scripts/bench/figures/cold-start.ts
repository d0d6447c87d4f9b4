import type { Figure } from "../figure.ts";
import { measureStart } from "../measure-start.ts";
import { number } from "../output/format-table.ts";

/** Measures the cost of a start of the package, compared with a minimal function. */
export const start: Figure = {
  name: "start",
  about: "CPU and cold start of the package, by number of targets",
  async measure() {
    const rows = await measureStart();
    const [hello] = rows;
    return rows.map(({ what, cpu, wall }) => ({
      what: `Start: ${what}`,
      value: `${number(cpu, 2)} s of CPU`,
      note: `${number(1_000 * wall)} ms, ${number(wall / (hello?.wall ?? wall), 2)} times the smallest function`,
    }));
  },
};
