import { expect, test } from "vitest";
import { ConfigError } from "../../shared/core/errors.ts";
import { day, second } from "../../shared/core/time.ts";
import { makePlan, planEdit } from "../../shared/engine/queries/plan.ts";
import { withPolicy, work, worldWith } from "./policy-world.ts";
import { open, type World } from "./world.ts";

const adopted = "2026-01-01T00:00:00.000Z";

/** A target that was adopted some days ago. */
async function worldAfter(days: number): Promise<World> {
  const world = await worldWith({ every: 90 * day });
  await work(world);
  world.advanceTo(new Date(Date.parse(adopted) + days * day).toISOString());
  return world;
}

test("A plan uses the state in the journal, and shows only the requested targets", async () => {
  const world = await worldAfter(10);
  const ports = world.ports(open);
  const plan = (targets: string) => makePlan(ports, [world.target], { format: "text", targets });
  expect(await plan("*")).toContain(`90d after ${adopted}`);
  expect(await plan("a?p")).toMatch(/^1 rotation from 2026-01-11T00:00:00\.000Z/);
  expect(await plan("other-*")).toMatch(/^0 rotations/);
});

test("The plan of an edit is compared with the plan from the journal, and nothing is changed", async () => {
  const world = await worldAfter(10);
  const ports = world.ports(open);
  const before = await ports.journal.targets();
  const { target } = withPolicy(world, { every: 5 * day });
  const edited = { targets: [target, { ...target, id: "new" }], warnings: ["comes late"] };
  const compared = (format: "text" | "json", targets = "*") =>
    planEdit(ports, [world.target], edited, { format, targets });
  const text = await compared("text");
  expect(text).toMatch(
    /^1 target moves earlier, 1 target appears, 1 would rotate today, 0 unchanged\n/,
  );
  expect(text).toMatch(/\nWarnings:\n {2}comes late\n$/);
  expect(JSON.parse(await compared("json", "app"))).toMatchObject({
    from: "2026-01-11T00:00:00.000Z",
    differences: [
      {
        targetId: "app",
        kind: "earlier",
        before: "2026-04-01T00:00:00.000Z",
        after: "2026-01-11T00:00:00.000Z",
      },
    ],
    soon: ["app"],
    warnings: ["comes late"],
  });
  expect(await ports.journal.targets()).toEqual(before);
  expect(world.applied.size).toBe(0);
});

test("A plan with too many rotations is rejected with a message", async () => {
  const world = await worldAfter(1);
  const { target } = withPolicy(world, { every: 10 * second });
  const to = "2027-01-02T00:00:00.000Z";
  const refused = makePlan(world.ports(open), [target], { format: "text", to });
  await expect(refused).rejects.toThrow(ConfigError);
  await expect(refused).rejects.toThrow(
    /^The period has too many rotations \(more than 200,000; limit 100,000\)\. .* Use an earlier `to`, or filter with `targets`$/,
  );
});
