import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { describeWait } from "../../../../shared/core/lifecycle/retirement.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { accepted, importInto, issued, passwordOf, publishedIn, undo } from "../../given-steps.ts";
import { withPolicy } from "../../policy-world.ts";
import {
  adopted,
  failing,
  keyed,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  hasNoGap,
  type Kind,
  kinds,
  open,
  pairAdmin,
  pairProof,
  singleAdmin,
  type World,
} from "../../world.ts";

const first = (world: World) => world.kind.accounts[0] ?? "";
const runOf = (world: World, id: string) => world.journal.run("app", id);
const refusal = (text: string) => ({ refused: expect.stringContaining(text) as string });

/** A target that was rotated once. */
async function rotated(kind: Kind): Promise<World> {
  const world = await adopted(kind);
  await rotate(world);
  return world;
}

const report = (world: World, seen: { readonly version?: string; readonly at?: string } = {}) =>
  expose(world.ports(open), world.target, { by: "ben", kind: "exposure", ...seen });

test.each(kinds)(
  "An undo publishes the previous secret again, in one rotation: $name",
  async (kind) => {
    const world = await rotated(kind);
    const before = await world.journal.runs("app", 10);
    const id = await accepted(undo(world));
    await work(world);
    expect(await runOf(world, id)).toMatchObject({ state: "done", reason: "undo" });
    expect(await world.journal.runs("app", 10)).toHaveLength(before.length + 1);
    const password = `first-secret-of-${first(world)}`;
    expect(publishedIn(world)).toEqual({ account: first(world), password });
    expect(world.publishedWorks()).toBe(true);
    expect(world.applied.size).toBe(hasNoGap(kind) ? 1 : 2);
    expect(world.vault.versions("keyturn-pending-app").some(({ enabled }) => enabled)).toBe(false);
  },
);

test("The account that an undo takes out of use is retired after a grace of its own", async () => {
  const world = await rotated(pairAdmin);
  world.advance(23 * hour);
  await accepted(undo(world));
  await work(world);
  world.advance(2 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
  expect(world.isKept("app_b")).toBe(true);
  world.advance(22 * hour);
  await work(world);
  expect(world.isKept("app_b")).toBe(false);
  expect(publishedIn(world).account).toBe("app_a");
  expect(world.publishedWorks()).toBe(true);
});

test("An undo can be undone, for a single account and for a pair", async () => {
  for (const kind of [singleAdmin, pairAdmin]) {
    const world = await rotated(kind);
    const after = publishedIn(world);
    await accepted(undo(world));
    await work(world);
    await accepted(undo(world));
    await work(world);
    expect(publishedIn(world)).toEqual(after);
    expect(world.publishedWorks()).toBe(true);
  }
});

test("An undo that waits keeps the account that it will publish from being retired", async () => {
  const world = await rotated(pairAdmin);
  const frozen = withPolicy(world, {
    freeze: [{ from: "2026-01-01", to: "2026-01-05", reason: "year end", lift: [] }],
  });
  const id = await accepted(undo(frozen));
  expect((await readRecord(frozen)).given?.heldBy).toContain("year end");
  expect(describeWait(await readRecord(frozen))).toBe(
    `rotation ${id}, which publishes the account`,
  );
  frozen.advance(2 * day);
  await work(frozen);
  expect(frozen.isKept("app_a")).toBe(true);
  frozen.advance(5 * day);
  await work(frozen);
  expect((await runOf(frozen, id))?.state).toBe("done");
  expect(publishedIn(frozen).account).toBe("app_a");
});

test("An undo is refused when nothing is previous, when the grace is over, and after the retirement", async () => {
  expect(await undo(await adopted(singleAdmin))).toMatchObject(refusal("no previous secret"));
  const world = await rotated(pairAdmin);
  world.advance(25 * hour);
  expect(await undo(world)).toMatchObject(refusal("grace of app_a ended"));
  await work(world);
  expect(await undo(world)).toMatchObject(refusal("app_a was retired"));
});

test("With retirement on proof, an undo works as long as the account is in use", async () => {
  const world = await rotated(pairProof);
  world.system.sessions.add("app_a");
  world.advance(25 * hour);
  await work(world);
  await accepted(undo(world));
  await work(world);
  expect(publishedIn(world).account).toBe("app_a");
});

test("An undo is refused when the policy forbids it", async () => {
  const world = withPolicy(await rotated(pairAdmin), { undo: false });
  expect(await undo(world)).toMatchObject(refusal("forbids an undo"));
});

test.each([singleAdmin, pairAdmin])(
  "An undo is refused after a rotation because of an exposure: $name",
  async (kind) => {
    const requested = await adopted(kind);
    await rotate(requested, { reason: "exposure", requestedBy: "security" });
    expect(await undo(requested)).toMatchObject(refusal("reported as exposed"));

    const reported = await adopted(kind);
    await report(reported);
    await rotate(reported);
    expect(await undo(reported)).toMatchObject(refusal("reported as exposed"));
  },
);

test.each([singleAdmin, pairAdmin])(
  "An undo is refused after a report about the previous secret: $name",
  async (kind) => {
    const world = await adopted(kind);
    const version = (await readRecord(world)).published?.version ?? "";
    const at = world.now();
    world.advance(minute);
    await rotate(world);
    const named = await report(world, { version });
    expect(named).toBeDefined();
    expect(await undo(world)).toMatchObject(refusal("reported as exposed"));

    const other = await adopted(kind);
    other.advance(minute);
    await rotate(other);
    await report(other, { at });
    expect(await undo(other)).toMatchObject(refusal("reported as exposed"));
  },
);

test("A report about the present secret does not prevent an undo, and made-up versions do not displace known ones", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  const present = (await readRecord(world)).published?.version ?? "";
  await report(world, { version: present });
  await accepted(undo(world));
  await work(world);
  expect(publishedIn(world).account).toBe("app_a");
  expect((await readRecord(world)).exposure).toBeUndefined();

  const other = await adopted(pairAdmin);
  const version = (await readRecord(other)).published?.version ?? "";
  await report(other, { version });
  await rotate(other);
  for (let made = 0; made < 20; made++) await report(other, { version: `made-up-${made}` });
  expect(await undo(other)).toMatchObject(refusal("reported as exposed"));
});

test("An undo is refused during a rotation and while another undo is queued", async () => {
  const world = await rotated(pairAdmin);
  await accepted(undo(world));
  expect(await undo(world)).toMatchObject(refusal("is queued (cause: undo)"));
  expect(await importInto(world)).toMatchObject(refusal("is queued (cause: undo)"));
  await work(
    world,
    failing("vault.write", 1, () => new TargetUnavailableError("lost")),
  );
  expect(await undo(world)).toMatchObject(refusal("is under way"));
});

test("An undo fails without an effect when the target refuses the previous secret of a pair", async () => {
  const world = await rotated(pairAdmin);
  setPassword(world, "app_a", "changed by hand");
  const id = await accepted(undo(world));
  await work(world);
  expect(await runOf(world, id)).toMatchObject({
    state: "failed",
    failure: { message: expect.stringContaining("refuses the previous secret of app_a") as string },
  });
  expect(publishedIn(world).account).toBe("app_b");
  expect(passwordOf(world, "app_a")).toBe("changed by hand");
  expect(world.publishedWorks()).toBe(true);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("An undo is refused when the previous version was disabled", async () => {
  const world = await rotated(singleAdmin);
  const [previous] = world.vault.versions("app-db");
  if (previous) await world.vault.disable(previous.ref, new AbortController().signal);
  expect(await undo(world)).toMatchObject(refusal("cannot be read"));
});

test("A request during an undo gets a rotation with a new secret after it", async () => {
  const world = await rotated(pairAdmin);
  const id = await accepted(undo(world));
  await work(
    world,
    failing("target.verify", 99, () => new TargetUnavailableError("down")),
  );
  const asked = await request(world, { reason: "exposure", requestedBy: "security" });
  expect(asked).not.toBe(id);
  world.advance(11 * minute);
  await work(world);
  expect((await runOf(world, id))?.state).toBe("done");
  expect((await runOf(world, asked))?.state).toBe("done");
  expect(world.applied.size).toBe(2);
});

test("An import can be undone", async () => {
  const world = await adopted(singleAdmin);
  await accepted(importInto(world));
  await work(world);
  expect(publishedIn(world).password).toBe(issued);
  await accepted(undo(world));
  await work(world);
  expect(publishedIn(world).password).toBe("first-secret-of-app");
});

test("The same key leads to the same undo, long after it ended", async () => {
  const world = await rotated(pairAdmin);
  const id = await accepted(undo(world, { key: keyed("ticket-7") }));
  await work(world);
  world.advance(2 * day);
  expect(await undo(world, { key: keyed("ticket-7") })).toMatchObject({
    rotationId: id,
    joined: false,
  });
  await expect(undo(world, { key: keyed("ticket-7", "another"), force: "now" })).rejects.toThrow(
    "different request",
  );
});

/** Publishes another password of the account by hand, as another secret, and edits the configuration. */
async function publishElsewhere(world: World, account: string, name: string, password: string) {
  const value = new Secret(JSON.stringify({ username: account, password }));
  const content = { value, contentType: "application/json", tags: {} };
  await world.vault.write(name, content, new AbortController().signal);
  setPassword(world, account, password);
  const edited = { ...world.target, publish: { ...world.target.publish, name } };
  return { ...world, target: edited };
}

test("After an adoption of another secret, an undo publishes the one that was published before, and none from further back", async () => {
  const world = await rotated(singleAdmin);
  const before = publishedIn(world);
  const edited = await publishElsewhere(world, "app", "app-db2", "set by hand");
  await work(edited);
  await accepted(undo(edited));
  await work(edited);
  const newest = edited.vault.versions("app-db2").at(-1);
  expect(newest?.value.reveal()).toContain(before.password);
  expect(passwordOf(edited, "app")).toBe(before.password);
});

test("After an adoption, nothing can be undone if it is not known what was published before", async () => {
  const world = await rotated(singleAdmin);
  // The first edit names a secret that the target refuses, so its version was never proven.
  const wrong = await publishElsewhere(world, "app", "app-db2", "set by hand");
  setPassword(wrong, "app", "set by hand, but not published");
  await work(wrong);
  const edited = await publishElsewhere(wrong, "app", "app-db3", "the last one");
  await work(edited);
  expect((await readRecord(edited)).health).toBe("healthy");
  expect(await undo(edited)).toEqual(refusal("no previous secret of app is known"));
});

test("An undo of a pair does not pass over a version that somebody published by hand of the same account", async () => {
  const world = await rotated(pairAdmin);
  const { account = "" } = publishedIn(world);
  const nothing = refusal("was not published directly before the present version");
  world.advance(minute);
  await writeByHand(world, account, "set by hand");
  setPassword(world, account, "set by hand");
  await work(world, open, true);
  expect((await readRecord(world)).active).toBe(account);
  expect(await undo(world)).toEqual(nothing);
  const edited = await publishElsewhere(world, account, "app-db2", "the next one");
  await work(edited);
  expect(await undo(edited)).toEqual(nothing);
});

test("An undo of a pair publishes the account that was published until somebody published the other one", async () => {
  const world = await rotated(pairAdmin);
  const { account } = publishedIn(world);
  await writeByHand(world, first(world), `first-secret-of-${first(world)}`);
  await work(world, open, true);
  expect((await readRecord(world)).active).toBe(first(world));
  await accepted(undo(world));
  await work(world);
  expect(publishedIn(world).account).toBe(account);
});
