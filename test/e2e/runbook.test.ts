import { afterAll, beforeAll, expect, test } from "vitest";
import { type Block, formatPlace, listBlocks, root } from "../docs/blocks.ts";
import { runBlock } from "./run-block.ts";
import { makeConfig, pair, seed, seedPair, single } from "./world/targets.ts";
import { newPassword, startWorld, type World } from "./world/world.ts";

const pages = [
  "docs/how-to/undo-a-rotation.md",
  "docs/how-to/import-a-password.md",
  "docs/runbook.md",
  "docs/how-to/pause-or-freeze.md",
  "docs/how-to/respond-to-a-leak.md",
];
const blocks = pages
  .flatMap(listBlocks)
  .filter(({ language, needs }) => language === "sh" && needs === undefined)
  .map((block): [string, Block] => [formatPlace(block), block]);

/** Readers use their own dates, and the id of their own freeze. */
const later = new Date(Date.now() + 10 * 86_400_000).toISOString();
const sampleFreeze = "01JQ0000000000000000000000";

let world: World;
let key: string;

beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        orders: pair(places, "orders"),
        reports: single(places, "reports"),
        inventory: single(places, "inventory"),
      }),
  });
  await seedPair(world, "orders");
  for (const name of ["reports", "inventory"]) await seed(world, name);
  await world.start();
  key = (await world.keys()).default;
  await world.api.ended(await world.api.rotate("orders"));
});
afterAll(() => world.close());

/** A worker that is busy with the target of the block before would be answered 409. */
async function settle(): Promise<void> {
  for (const name of ["orders", "reports", "inventory"]) {
    await expect
      .poll(
        async () => {
          const { rotation, pause, queuedUntil } = await world.api.target(name);
          return rotation === undefined || pause !== undefined || queuedUntil !== undefined;
        },
        { timeout: 60_000 },
      )
      .toBe(true);
  }
}

/** As `npm start` prints it for curl, and as the command line reads it. */
const addressOf = (url: string) => ({ KEYTURN: url, KEY: key, KEYTURN_APP: url, KEYTURN_KEY: key });

async function newestFreeze(): Promise<string> {
  const { text: list } = await world.api.send("GET", "/api/freezes");
  const { freezes } = JSON.parse(list) as { freezes: { id: string }[] };
  return freezes.at(-1)?.id ?? sampleFreeze;
}

test.each(blocks)("the commands run as written, and the app accepts them: %s", async (_, block) => {
  await settle();
  const written = block.text
    .replaceAll(/20\d\d-\d\d-\d\dT[\d:]+Z/g, later)
    .replaceAll(sampleFreeze, await newestFreeze());
  const environment = addressOf(world.host().url);
  const { status, output } = await runBlock(written, {
    folder: root,
    environment,
    input: newPassword(),
  });
  expect(status, output).toBe(0);
});
