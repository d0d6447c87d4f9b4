import type { Figure } from "../figure.ts";
import { median } from "../output/statistics.ts";
import { number, type Row } from "../output/table.ts";
import { provenRow } from "../proof.ts";
import { playRound, type Round } from "../rounds.ts";
import { startWorld } from "../world/world.ts";

const measuredRounds = 3;
const limitMs = 180_000;

/** Rotations per second of one instance, its CPU, and what a rotation asks of others. The vault has no limits. */
export const throughput: Figure = {
  name: "throughput",
  about: "one instance, without the limits of the vault: rotations/s, CPU and counters",
  async measure({ rotations = 200, say }) {
    const world = await startWorld(rotations);
    try {
      const instance = world.startInstances(1, false);
      const rounds: Round[] = [];
      // Nothing is compiled in the first one.
      for (let round = 0; round <= measuredRounds; round++) {
        say(round === 0 ? "warm-up" : `round ${round} of ${measuredRounds}`);
        rounds.push(await playRound(world, instance, { limitMs }));
      }
      return [...rowsOf(rounds.slice(1), rotations), await provenRow(world)];
    } finally {
      await world.close();
    }
  },
};

function rowsOf(rounds: readonly Round[], rotations: number): Row[] {
  const middle = (of: (round: Round) => number) => median(rounds.map(of));
  const each = (of: (round: Round) => number) =>
    number(
      middle((round) => of(round) / round.done),
      2,
    );
  const note = `median of ${rounds.length} rounds of ${rotations}, after one to warm up`;
  const perSecond = middle(({ done, tookMs }) => done / (tookMs / 1_000));
  const cpuMs = middle((round) => round.cpuMs / round.done);
  return [
    { what: "Rotations/s, one instance, vault without limits", value: number(perSecond, 1), note },
    { what: "CPU of the app per rotation", value: `${number(cpuMs, 1)} ms`, note },
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
