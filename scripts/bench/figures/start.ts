import type { Figure } from "../figure.ts";
import { number } from "../output/table.ts";
import { measureStart } from "../start.ts";

/** What a start of the package costs, beside that of the smallest function there is. */
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
