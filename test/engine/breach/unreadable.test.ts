import { expect, test } from "vitest";
import { minute } from "../../../shared/core/time.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../../shared/stores/journal.ts";
import type { Gate } from "../world.ts";
import { everywhere, makeBreachWorld, makeMembers, startBreach } from "./breach-world.ts";

/** A started breach of which the given call fails from now on, and how often it was tried. */
async function startAndBreak(effect: string, error: Error) {
  const world = await makeBreachWorld(makeMembers(2));
  const id = await startBreach(world.instance(), everywhere);
  const tries = new Map<string, number>();
  const broken = { is: true };
  const gate: Gate = (one, call) => {
    tries.set(one, (tries.get(one) ?? 0) + 1);
    return one === effect && broken.is ? Promise.reject(error) : call();
  };
  const keyturn = world.instance(gate);
  await world.pass(30 * minute, keyturn);
  const read = async () => (await world.instance().breach(id))?.state;
  return { world, keyturn, broken, read, count: (one: string) => tries.get(one) ?? 0 };
}

test("A breach whose row cannot be read gets no message, and is reported once", async () => {
  const error = new UnreadableRowError("The journal's row of breach X cannot be read.", false);
  const { world, keyturn, broken, count, read } = await startAndBreak("journal.breach", error);
  expect(count("queue.send")).toBe(0);
  expect(await world.journal.alarms(9)).toMatchObject([
    {
      kind: "journal-unavailable",
      message: `${error.message} Keyturn does not process the breach until this is fixed.`,
    },
  ]);
  broken.is = false;
  await world.pass(3 * minute, keyturn);
  expect(await read()).toBe("ended");
});

test("A breach whose row a newer version wrote causes a warning, and no alarm", async () => {
  const error = new UnreadableRowError("It was written by a newer version.", true);
  const { world, count } = await startAndBreak("journal.breach", error);
  expect(count("queue.send")).toBe(0);
  expect(await world.journal.alarms(9)).toEqual([]);
  expect(world.events.filter(({ type }) => type === "left-alone")).toHaveLength(1);
});

test("A breach with a target that cannot be read is tried once with each sweep", async () => {
  const error = new UnreadableRowError("The journal's row of breach target X is damaged.", false);
  const { world, count } = await startAndBreak("journal.breachItems", error);
  expect(count("journal.breachItems")).toBeLessThanOrEqual(31);
  expect(await world.journal.alarms(9)).toHaveLength(1);
});

test("The messages about a breach do not add up while the journal cannot be written", async () => {
  const error = new JournalUnavailableError("no answer");
  const { world, keyturn, broken, count, read } = await startAndBreak(
    "journal.commitBreach",
    error,
  );
  // One try with each sweep, and one more.
  expect(count("journal.commitBreach")).toBeLessThanOrEqual(62);
  expect(world.events.map(({ type }) => type)).toContain("journal-unavailable");
  broken.is = false;
  await world.pass(3 * minute, keyturn);
  expect(await read()).toBe("ended");
});
