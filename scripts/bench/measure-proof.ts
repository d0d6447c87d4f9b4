import type { Row } from "./output/format-table.ts";
import type { World } from "./world/world.ts";

const sample = 20;

/** Logs in with published passwords and the plain client, because figures of a run that broke something are worthless. */
export async function provenRow(world: World): Promise<Row> {
  const refused = await world.refused(sample);
  return {
    what: "Published passwords that do not log in",
    value: String(refused.length),
    note: `of a sample of ${Math.min(sample, world.ids.length)}, with the plain client`,
  };
}
