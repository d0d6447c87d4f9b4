import type { Asked, Figure } from "../figure.ts";
import { provenRow } from "../measure-proof.ts";
import { number, type Row } from "../output/format-table.ts";
import { median } from "../output/statistics.ts";
import { playRound, type Round } from "../rounds.ts";
import { startWorld, type World } from "../world/world.ts";

const measuredRounds = 3;
const limitMs = 180_000;

/** Measures the rotations per second of one instance, its CPU, and the calls of one rotation. The vault has no limits. */
export const throughput: Figure = {
  name: "throughput",
  about: "one instance, without the limits of the vault: rotations/s, CPU and counters",
  async measure({ rotations = 200, say }) {
    const world = await startWorld(rotations);
    try {
      const rounds = await playRounds(world, say);
      // The same server under another name counts as a second server.
      const { port, caFile } = world.database;
      await world.move(world.ids.slice(rotations / 2), { host: "localhost", port, caFile });
      const onTwo = await playRounds(world, say);
      return [
        ...speedRows(rounds, "one server"),
        ...speedRows(onTwo, "two servers"),
        ...countRows(rounds),
        await provenRow(world),
      ];
    } finally {
      await world.close();
    }
  },
};

/** Plays the rounds on a new instance. */
async function playRounds(world: World, say: Asked["say"]): Promise<readonly Round[]> {
  const instance = world.startInstances(1, false);
  const rounds: Round[] = [];
  // In the first round, the code is not compiled yet.
  for (let round = 0; round <= measuredRounds; round++) {
    say(round === 0 ? "warm-up" : `round ${round} of ${measuredRounds}`);
    rounds.push(await playRound(world, instance, { limitMs }));
  }
  await instance.close();
  return rounds.slice(1);
}

function speedRows(rounds: readonly Round[], servers: string): Row[] {
  const note = `one instance, vault without limits; median of ${rounds.length} rounds, after one to warm up`;
  const perSecond = median(rounds.map(({ done, tookMs }) => done / (tookMs / 1_000)));
  const cpuMs = median(rounds.map((round) => round.cpuMs / round.done));
  return [
    { what: `Rotations/s, targets on ${servers}`, value: number(perSecond, 1), note },
    { what: `CPU of the app per rotation, targets on ${servers}`, value: `${number(cpuMs, 1)} ms` },
  ];
}

function countRows(rounds: readonly Round[]): Row[] {
  const each = (of: (round: Round) => number) =>
    number(median(rounds.map((round) => of(round) / round.done)), 2);
  return [
    { what: "Journal transactions per rotation", value: each(({ counts }) => counts.transactions) },
    { what: "Journal reads per rotation", value: each(({ counts }) => counts.journalReads) },
    {
      what: "Log-ins per rotation",
      value: each(({ logIns }) => logIns),
      note: "sessions, as PostgreSQL counts them",
    },
    { what: "Vault creates per rotation", value: each(({ counts }) => counts.vaultCreates) },
    { what: "Vault reads per rotation", value: each(({ counts }) => counts.vaultReads) },
    { what: "Vault updates per rotation", value: each(({ counts }) => counts.vaultUpdates) },
    { what: "Vault lists per rotation", value: each(({ counts }) => counts.vaultLists) },
    {
      what: "Queue sends per rotation",
      value: each(({ counts }) => counts.queueSends),
      note: "besides that of the request",
    },
  ];
}
