import { describe, expect, test } from "vitest";
import { minute, second } from "../../../shared/core/time.ts";
import { makeBreachWorld, readStates, startBreach } from "./breach-world.ts";

const everywhere = { type: "memory" };

describe("A breach", () => {
  test("says what it would do, and does nothing until it is confirmed", async () => {
    const world = await makeBreachWorld([
      { id: "a", consumers: ["app"] },
      { id: "b", kind: "pair" },
      { id: "c", kind: "pair-self", host: "db-2" },
    ]);
    const keyturn = world.instance();
    const preview = await keyturn.previewBreach({
      by: "ada",
      reason: "host compromised",
      ticket: "SEC-1",
      selection: everywhere,
    });
    expect(preview).toMatchObject({
      state: "preview",
      summary: {
        targets: 3,
        withGap: 1,
        keepOldPassword: 1,
        obstacles: {},
        consumers: [{ name: "app", targets: 1 }],
      },
      counts: { waiting: 3, begun: 0, rotated: 0 },
    });
    await world.pass(2 * minute);
    expect(await readStates(keyturn, preview.id)).toEqual({ waiting: ["a", "b", "c"] });
    expect(world.hasOldPassword("a")).toBe(true);
  });

  test("rotates every target, ends the old password of a pair at once, and reports it", async () => {
    const world = await makeBreachWorld([
      { id: "single" },
      { id: "pair", kind: "pair" },
      { id: "own", kind: "pair-self" },
    ]);
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    await world.pass(10 * second);
    expect(await keyturn.breach(id)).toMatchObject({ state: "ended", counts: { rotated: 3 } });
    const report = (await keyturn.breachTargets(id, { limit: 10 }))?.items ?? [];
    const byTarget = Object.fromEntries(report.map((one) => [one.target, one]));
    expect(byTarget["single"]).toMatchObject({ state: "rotated", oldPasswordWorks: false });
    expect(byTarget["pair"]).toMatchObject({ state: "rotated", oldPasswordWorks: false });
    expect(byTarget["own"]).toMatchObject({ state: "rotated", oldPasswordWorks: true });
    expect(byTarget["own"]?.outcome).toContain("works until the next rotation");
    for (const target of world.targets) expect(world.publishedWorks(target)).toBe(true);
    expect(["single", "pair_a", "pair_b", "own_a"].map(world.hasOldPassword)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    const run = await keyturn.rotation("pair", byTarget["pair"]?.rotationId ?? "");
    expect(run).toMatchObject({ cause: "exposure", requestedBy: "ada", state: "done" });
    expect(world.notifier.sent.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["breach.started", "breach.ended"]),
    );
  });
});
