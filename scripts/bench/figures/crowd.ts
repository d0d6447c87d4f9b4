import type { Asked, Figure } from "../figure.ts";
import { findGaps, type Gap } from "../gaps.ts";
import { provenRow } from "../measure-proof.ts";
import { duration, number, type Row } from "../output/format-table.ts";
import { greatest, median } from "../output/statistics.ts";
import { playRound } from "../rounds.ts";
import { startWorld } from "../world/world.ts";

const instanceCount = 8;
const limitMs = 20 * 60_000;
const longMs = 5_000;

/** Measures many rotations at once on eight instances, with the limits of a real vault. */
export const crowd: Figure = {
  name: "crowd",
  about: "600 rotations at once with the limits of the vault: how long consumers are locked out",
  measure: (asked) => measureCrowd(asked, 1),
};

/** Measures the same while other users take half of the limit, so that a slow machine reaches it as well. */
export const sharedVault: Figure = {
  name: "shared-vault",
  about: "the same when other users of the vault take half of its limits",
  measure: (asked) => measureCrowd(asked, 0.5),
};

async function measureCrowd({ rotations = 600, say }: Asked, share: number): Promise<Row[]> {
  const world = await startWorld(rotations);
  try {
    const instances = world.startInstances(instanceCount);
    say("warm-up, without limits");
    await playRound(world, instances, { limitMs });
    await world.vault.limit(share);
    const began = Date.now();
    const seen = { failed: 0, done: 0 };
    const round = await playRound(world, instances, {
      limitMs,
      onEvent({ type, why }) {
        if (type === "attempt-failed" && seen.failed++ === 0) say(`first failure: ${why ?? ""}`);
        if (type === "succeeded" && ++seen.done % 100 === 0) say(`${seen.done} done`);
      },
    });
    const { changed, written } = await instances.moments();
    const changes = changed.filter(({ at }) => at >= began);
    const vault = share === 1 ? "vault with its real limits" : `vault with ${share} of its limits`;
    return [
      {
        what: `${rotations} rotations at once, ${vault}`,
        value: duration(round.tookMs),
        note: `${instanceCount} instances in one process, ${round.done} of ${rotations} done`,
      },
      ...toRows(findGaps(changes, written, Date.now())),
      { what: "Attempts that failed", value: number(seen.failed) },
      { what: "Answers 429", value: number(round.throttled) },
      await provenRow(world),
    ];
  } finally {
    await world.close();
  }
}

function toRows(gaps: readonly Gap[]): Row[] {
  const lengths = gaps.map(({ lengthMs }) => lengthMs);
  const long = lengths.filter((length) => length > longMs).length;
  const open = gaps.filter(({ isOver }) => !isOver).length;
  return [
    { what: "Changed but not published, longest", value: duration(greatest(lengths)) },
    { what: "Changed but not published, median", value: duration(median(lengths)) },
    {
      what: "Changed but not published, above 5 s",
      value: number(long),
      ...(open > 0 && { note: `${open} of them still open at the end` }),
    },
  ];
}
