import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { explainState } from "../../../../shared/core/explanation/explanation.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import type { Target } from "../../../../shared/core/target.ts";
import {
  between,
  day,
  hour,
  type Instant,
  minute,
  plus,
  toInstantAt,
} from "../../../../shared/core/time.ts";
import { viewTarget } from "../../../../shared/core/views.ts";
import { importSecret } from "../../../../shared/engine/inbox/import.ts";
import { requestUndo } from "../../../../shared/engine/inbox/undo.ts";
import { makePlan } from "../../../../shared/engine/queries/plan.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, readRecord, rotate, work } from "../../steps.ts";
import { mintedBeside, open, type World } from "../../world.ts";

const lifetime = 130 * day;
const ending = { ...mintedBeside, lifetime };
const by = { requestedBy: "person" };
const newest = (world: World) => world.vault.versions("app-db").at(-1);
const count = (world: World) => world.vault.versions("app-db").length;

/** A secret that somebody has made in the portal, which the system ends at `endsAt`. */
function makeByHand(world: World, text: string, endsAt: string) {
  const before = world.system.minted.get("app") ?? [];
  const made = { id: text, name: "portal", secret: new Secret(text), endsAt: Date.parse(endsAt) };
  world.system.minted.set("app", [...before, made]);
}

/** Publishes it by hand. */
function publishByHand(world: World, text: string, tags: Record<string, string> = {}) {
  const value = new Secret(JSON.stringify({ username: "app", password: text }));
  const content = { value, contentType: "application/json", tags };
  return world.vault.write("app-db", content, new AbortController().signal);
}

test("The journal knows the end of a secret that the system has created", async () => {
  const world = await adopted(ending);
  await rotate(world);
  const { secretEnd, published, nextDue } = await readRecord(world);
  expect(secretEnd).toEqual({ version: published?.version, at: plus(world.now(), lifetime) });
  expect(newest(world)?.expiresAt).toBe(plus(world.now(), 120 * day));
  expect(nextDue).toBe(plus(world.now(), 90 * day));
});

test("After an undo, the earlier secret is replaced before the system ends it", async () => {
  const world = await adopted(ending);
  await rotate(world);
  const earlier = newest(world)?.value.reveal();
  const end = plus(world.now(), lifetime);
  await workFor(world, 80 * day);
  await rotate(world);
  await workFor(world, hour);
  await requestUndo(world.ports(open), world.target, by);
  await work(world);
  expect(newest(world)?.value.reveal()).toBe(earlier);
  const { secretEnd, nextDue, dueReason } = await readRecord(world);
  expect(secretEnd?.at).toBe(end);
  expect(nextDue).toBe(plus(end, -8 * day));
  expect(dueReason).toContain(`before the system ends the secret at ${end}`);
  const before = count(world);
  await workFor(world, between(world.now(), nextDue ?? "") - minute);
  expect(count(world)).toBe(before);
  await workFor(world, hour);
  expect(count(world)).toBe(before + 1);
  await workFor(world, 10 * day);
  expect(world.publishedWorks()).toBe(true);
  expect((await readRecord(world)).secretEnd?.at).not.toBe(end);
});

test("The plan and the explanation show the rotation that the end of the secret makes due, and the one after it", async () => {
  const world = await adopted(ending);
  const yearly = { ...world.target, policy: { ...world.target.policy, every: 365 * day } };
  const ports = world.ports(open);
  const [end, start] = [plus(world.now(), 60 * day), world.now()];
  makeByHand(world, "made in the portal", end);
  await publishByHand(world, "made in the portal");
  await workOn(ports, yearly, { checkDrift: true });
  const record = await readRecord(world);
  const wanted = { format: "json", to: plus(start, 200 * day) } as const;
  const { rotations } = JSON.parse(await makePlan(ports, [yearly], wanted)) as {
    rotations: { at: string; why: string }[];
  };
  expect(rotations.map(({ at }) => Math.floor(between(start, at) / day))).toEqual([52, 174]);
  expect(rotations[0]?.at).toBe(record.nextDue);
  expect(rotations[0]?.why).toContain(`before the system ends the secret at ${end}`);
  expect(explainState(yearly, record, world.now()).because).toContain(
    `The published secret ends at ${end}: the system ends it.`,
  );
  expect(viewTarget(yearly, record).secretEndsAt).toBe(end);
});

test("A secret that somebody publishes is adopted with its end, whatever the copied tags say", async () => {
  const world = await adopted(ending);
  await rotate(world);
  const end = plus(world.now(), 60 * day);
  makeByHand(world, "made in the portal", end);
  world.advance(day);
  await publishByHand(world, "made in the portal", newest(world)?.tags);
  await work(world, open, true);
  const { secretEnd, published, nextDue } = await readRecord(world);
  expect(secretEnd).toEqual({ version: published?.version, at: end });
  expect(nextDue).toBe(plus(end, -8 * day));
});

test("An imported secret expires when the system ends it", async () => {
  const world = await adopted(ending);
  const end = plus(world.now(), 60 * day);
  makeByHand(world, "made in the portal", end);
  const value = new Secret("made in the portal");
  await importSecret(world.ports(open), world.target, { ...by, value, mayApply: true });
  await work(world);
  expect(newest(world)?.value.reveal()).toContain("made in the portal");
  expect(newest(world)?.expiresAt).toBe(end);
  expect(newest(world)?.tags["keyturn-secret-expires"]).toBe(end);
  const { secretEnd, nextDue } = await readRecord(world);
  expect(secretEnd?.at).toBe(end);
  expect(nextDue).toBe(plus(end, -8 * day));
});

test("A heartbeat learns the end of a secret whose system was away when it was adopted", async () => {
  const world = await adopted(ending);
  const end = plus(world.now(), 60 * day);
  makeByHand(world, "made in the portal", end);
  await publishByHand(world, "made in the portal");
  world.setFault((effect) =>
    effect === "target.end" ? new TargetUnavailableError("away") : undefined,
  );
  await work(world, open, true);
  const { health, nextDue, secretEnd, published } = await readRecord(world);
  expect(health).toBe("healthy");
  expect(secretEnd?.version).not.toBe(published?.version);
  expect(nextDue).toBe(plus(world.now(), 90 * day));
  world.setFault(() => undefined);
  await workFor(world, 2 * day);
  const later = await readRecord(world);
  expect(later.secretEnd).toEqual({ version: published?.version, at: end });
  expect(later.nextDue).toBe(plus(end, -8 * day));
});

test("Copied tags are not believed while the system is away: a heartbeat asks it", async () => {
  const world = await adopted(ending);
  await rotate(world);
  const end = plus(world.now(), 60 * day);
  makeByHand(world, "made in the portal", end);
  world.advance(day);
  await publishByHand(world, "made in the portal", newest(world)?.tags);
  world.setFault((effect) =>
    effect === "target.end" ? new TargetUnavailableError("away") : undefined,
  );
  await work(world, open, true);
  world.setFault(() => undefined);
  await workFor(world, 2 * day);
  expect((await readRecord(world)).secretEnd?.at).toBe(end);
});

test("An undo to a version with copied tags learns the end from the system", async () => {
  const world = await adopted(ending);
  await rotate(world);
  await workFor(world, 2 * day);
  const end = plus(world.now(), 60 * day);
  makeByHand(world, "made in the portal", end);
  await publishByHand(world, "made in the portal", newest(world)?.tags);
  await work(world, open, true);
  world.advance(hour);
  await rotate(world);
  world.advance(hour);
  await requestUndo(world.ports(open), world.target, by);
  await work(world);
  const { secretEnd, nextDue } = await readRecord(world);
  expect(secretEnd?.at).toBe(end);
  expect(nextDue).toBe(plus(end, -8 * day));
  expect(newest(world)?.tags["keyturn-secret-expires"]).toBe(end);
});

test("A system that does not say which secret it is leaves the end unknown, and the age counts", async () => {
  const world = await adopted(ending);
  const { secretEnd, published, nextDue } = await readRecord(world);
  expect(secretEnd).toEqual({ version: published?.version });
  const { because } = explainState(world.target, await readRecord(world), world.now());
  expect(because.join()).toContain("does not show which of its secrets is the published one");
  expect(nextDue).toBe(plus(world.now(), 90 * day));
});

test("A record from before this was known learns the end with the next heartbeat", async () => {
  const world = await adopted(ending);
  await rotate(world);
  const found = await world.journal.read("app");
  const { secretEnd, ...rest } = await readRecord(world);
  const record = { ...rest, claim: { fence: rest.claim.fence + 1 } };
  await world.journal.commit({ record, etag: found?.etag, wakeAt: record.heartbeat?.at });
  await workFor(world, 2 * day);
  expect((await readRecord(world)).secretEnd).toEqual(secretEnd);
});

test.each([
  ["manualOnly", { manualOnly: true }, "makes no rotation due"],
  [
    "a freeze",
    {
      every: 365 * day,
      freeze: [{ from: "2026-01-02", to: "2026-06-30", reason: "audit", lift: [] }],
    },
    "the next rotation waits until 2026-07-01T00:00:00.000Z",
  ],
])(
  "An alarm says each week that the secret ends and no rotation comes before: %s",
  async (_, policy, why) => {
    const world = await adopted(ending);
    await rotate(world);
    const end = plus(world.now(), lifetime);
    const { every: _e, ...rest } = world.target.policy;
    const target: Target = { ...world.target, policy: { ...rest, ...policy } };
    const alarms = () => world.notifier.sent.filter(({ data }) => data["kind"] === "secret-ends");
    for (let at = 1; at <= 129; at++) {
      world.advance(day);
      await workOn(world.ports(open), target);
      if (at < 100) expect(alarms()).toEqual([]);
    }
    expect(alarms().length).toBeGreaterThanOrEqual(4);
    expect(alarms().length).toBeLessThanOrEqual(5);
    const message = String(alarms()[0]?.data["message"]);
    expect(message).toContain(`ends the published secret of target app at ${end}`);
    expect(message).toContain(why);
    expect(new Set(alarms().map(({ id }) => id)).size).toBe(alarms().length);
  },
);

test("A secret that was ended by the system is replaced as one that the target refuses", async () => {
  const world = await adopted(ending);
  makeByHand(world, "made in the portal", plus(world.now(), hour));
  await publishByHand(world, "made in the portal");
  await work(world, open, true);
  expect((await readRecord(world)).nextDue).toBe(toInstantAt(Date.parse(world.now()) + hour / 2));
  await workFor(world, hour);
  expect(world.publishedWorks()).toBe(true);
  expect(newest(world)?.value.reveal()).not.toContain("made in the portal");
});

test("A rotation that misses its window waits for no window after the end of the secret", async () => {
  const world = await adopted(ending);
  const { every: _, ...rest } = world.target.policy;
  const target: Target = { ...world.target, policy: { ...rest, cron: "0 2 1 */3 *" } };
  const sweep = async (until: Instant, step: number) => {
    while (world.now() < until) {
      await workOn(world.ports(open), target);
      world.advance(step);
    }
  };
  world.advance(59 * day);
  const end = "2026-04-16T00:00:00.000Z";
  makeByHand(world, "made in the portal", end);
  await publishByHand(world, "made in the portal");
  await workOn(world.ports(open), target, { checkDrift: true });
  expect((await readRecord(world)).nextDue).toBe("2026-04-01T02:00:00.000Z");
  world.setFault((effect) =>
    effect === "target.mint" ? new TargetUnavailableError("away") : undefined,
  );
  await sweep("2026-04-01T01:00:00.000Z", hour);
  await sweep("2026-04-01T03:00:00.000Z", minute);
  expect((await readRecord(world)).rotation?.nextAttemptAt).toBe(plus(end, -8 * day));
  world.setFault(() => undefined);
  await sweep(plus(end, -7 * day), hour);
  expect(newest(world)?.value.reveal()).not.toContain("made in the portal");
});
