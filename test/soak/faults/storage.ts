import type { Begun, Fault, Stage } from "./fault.ts";

const second = 1_000;

/** The fraction of answers that arrive while replies are lost. */
const lostShare = 0.15;

async function stopStorage({ world, targets, ask, draw }: Stage): Promise<Begun> {
  await ask(...targets.slice(0, 3));
  await world.pause(Math.round(draw("moment") * 800));
  await world.storage.stop();
  return { concerns: [], end: () => world.storage.start() };
}

async function loseReplies({ world, targets, ask, draw }: Stage): Promise<Begun> {
  let answers = 0;
  const isLost = () => draw(`answer ${++answers}`) < lostShare;
  for (const line of world.storage.lines) line.loseReplies(isLost);
  await ask(...targets.slice(3, 6));
  return {
    concerns: [],
    async end() {
      await Promise.all(world.storage.lines.map((line) => line.restore()));
    },
  };
}

export const storageFaults: readonly Fault[] = [
  { name: "storage stopped", holdMs: [second, 15 * second], begin: stopStorage },
  { name: "replies of storage lost", holdMs: [5 * second, 15 * second], begin: loseReplies },
];
