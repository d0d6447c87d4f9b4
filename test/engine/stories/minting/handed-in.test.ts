import { expect, test } from "vitest";
import { explainState } from "../../../../shared/core/explanation/explanation.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { between, day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { viewTarget } from "../../../../shared/core/views.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { importSecret } from "../../../../shared/engine/inbox/import.ts";
import { pauseTarget } from "../../../../shared/engine/inbox/pause.ts";
import { requestUndo } from "../../../../shared/engine/inbox/undo.ts";
import { workFor } from "../../proofs/disturbed.ts";
import {
  adopted,
  readRecord,
  rotate,
  setPassword,
  tryRotation,
  work,
  writeByHand,
} from "../../steps.ts";
import { handedIn, open, pairAdmin, type World } from "../../world.ts";

const by = { requestedBy: "person" };

function hand(world: World, text: string) {
  const input = { ...by, value: new Secret(text), mayApply: true };
  return importSecret(world.ports(open), world.target, input);
}

const passwordOf = (world: World) => {
  const text = world.vault.versions("app-db").at(-1)?.value.reveal() ?? "{}";
  return (JSON.parse(text) as { password: string }).password;
};

const remindersIn = (world: World) =>
  world.notifier.sent.filter(({ data }) => data["kind"] === "value-due");

test("A rotation that somebody requests says that people must hand over a value, once, and changes nothing", async () => {
  const world = await adopted(handedIn);
  const { state, message } = await tryRotation(world);
  expect(state).toBe("failed");
  expect(message).toContain("import a new one (keyturn import app), or write it into app-db");
  expect(world.applied.size).toBe(0);
  expect(world.publishedWorks()).toBe(true);
  await workFor(world, 10 * day);
  expect((await readRecord(world)).health).toBe("healthy");
  expect(await world.journal.runs("app", 10)).toHaveLength(1);
  expect(remindersIn(world)).toEqual([]);
});

test("People are reminded of a value that is due once a day, until somebody imports one", async () => {
  const world = await adopted(handedIn);
  const due = plus(world.now(), 90 * day);
  await workFor(world, 90 * day + hour);
  const [first] = remindersIn(world);
  expect(first?.at).toBe(due);
  expect(first?.data["message"]).toContain(
    `A new value is due since ${due} (policy test: due 90d after 2026-01-01T00:00:00.000Z), and the values of target app come from people: ` +
      "import a new one (keyturn import app), or write it into app-db in vault main.",
  );
  await workFor(world, 5 * day);
  expect(remindersIn(world)).toHaveLength(6);
  const record = await readRecord(world);
  expect(record).toMatchObject({ health: "healthy", failures: 0, awaited: { since: due } });
  expect(record.lastFailure).toBeUndefined();
  expect(world.notifier.sent.some(({ type }) => type.startsWith("rotation."))).toBe(false);
  expect(await world.journal.runs("app", 10)).toEqual([]);
  const { state, summary, next } = explainState(world.target, record, world.now());
  expect(state).toBe("waiting");
  expect(summary).toContain(`A new value of target app is due since ${due}`);
  expect(next).toContainEqual(
    expect.objectContaining({
      what: "Remind people that a new value is due",
      at: record.awaited?.remindAt,
    }),
  );
  expect(next.at(-1)?.kind).toBe("person");
  expect(viewTarget(world.target, record).valueDue?.since).toBe(due);
  setPassword(world, "app", "a value of the vendor");
  await hand(world, "a value of the vendor");
  await workFor(world, 10 * day);
  expect(passwordOf(world)).toBe("a value of the vendor");
  expect(remindersIn(world)).toHaveLength(6);
  expect((await readRecord(world)).awaited).toBeUndefined();
});

test("A value that somebody writes into the vault ends the reminders, too", async () => {
  const world = await adopted(handedIn);
  await workFor(world, 90 * day + hour);
  setPassword(world, "app", "written in the portal");
  await writeByHand(world, "app", "written in the portal");
  await work(world, open, true);
  await workFor(world, 10 * day);
  expect(remindersIn(world)).toHaveLength(1);
  expect((await readRecord(world)).awaited).toBeUndefined();
});

test("A value that is published already does not end the reminders", async () => {
  const world = await adopted(handedIn);
  await workFor(world, 90 * day + hour);
  await hand(world, "first-secret-of-app");
  await workFor(world, 2 * day);
  expect(remindersIn(world).length).toBeGreaterThanOrEqual(3);
});

test("An exposure makes a value due, and the reminders come every four hours", async () => {
  const world = await adopted(handedIn);
  const policy = { ...world.target.policy, afterExposure: 2 * hour };
  const exposed = { ...world, target: { ...world.target, policy } };
  await workFor(exposed, 90 * day + hour);
  expect(remindersIn(world)).toHaveLength(1);
  const report = { by: "scanner", kind: "exposure" } as const;
  await expose(world.ports(open), exposed.target, report);
  const seenAt = world.now();
  await workFor(exposed, 11 * hour);
  const times = remindersIn(world).map(({ at }) => between(seenAt, at) / hour);
  expect(times.slice(1)).toEqual([2, 6, 10]);
  expect(remindersIn(world).at(-1)?.data["message"]).toContain("after the exposure");
  setPassword(world, "app", "a value of the vendor");
  await importSecret(world.ports(open), exposed.target, {
    ...by,
    ...{ value: new Secret("a value of the vendor"), mayApply: true },
  });
  await workFor(exposed, 2 * day);
  expect(remindersIn(world)).toHaveLength(4);
});

test("A value that the vendor has revoked is reported until it works again, and the target is not blocked", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "the vendor has revoked it");
  await workFor(world, 3 * day);
  const record = await readRecord(world);
  expect(record.awaited?.reason).toBe("drift");
  expect(record.rotation).toBeUndefined();
  expect(record.health).toBe("failing");
  expect(remindersIn(world).length).toBeGreaterThanOrEqual(6);
  expect(remindersIn(world).length).toBeLessThanOrEqual(19);
  setPassword(world, "app", "first-secret-of-app");
  // Keyturn does not log in while it has guessed too often.
  await workFor(world, 2 * day);
  const later = await readRecord(world);
  expect(later).toMatchObject({ health: "healthy" });
  expect(later.awaited).toBeUndefined();
});

test("A pause of the target keeps people from being reminded", async () => {
  const world = await adopted(handedIn);
  await workFor(world, 80 * day);
  const until = plus(world.now(), 20 * day);
  await pauseTarget(world.ports(open), world.target, {
    by: "ada",
    reason: "vendor is closed",
    until,
  });
  await workFor(world, 20 * day - hour);
  expect(remindersIn(world)).toEqual([]);
  await workFor(world, 2 * hour);
  expect(remindersIn(world)).toHaveLength(1);
});

test("An imported value is proven, published and announced; a wrong one is refused", async () => {
  const world = await adopted(handedIn);
  await hand(world, "a value that nobody issued");
  await work(world);
  expect(passwordOf(world)).toBe("first-secret-of-app");
  setPassword(world, "app", "a value of the vendor");
  await hand(world, "a value of the vendor");
  await work(world);
  expect(passwordOf(world)).toBe("a value of the vendor");
  expect(world.consumer.refreshes).toHaveLength(1);
});

test("A value that somebody writes into the vault is proven, adopted and announced", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "written in the portal");
  const { version } = await writeByHand(world, "app", "written in the portal");
  await work(world, open, true);
  const { published } = await readRecord(world);
  expect(published?.version).toBe(version);
  expect(world.consumer.refreshes.map(({ published: { version: told } }) => told)).toEqual([
    version,
  ]);
  const told = world.notifier.sent.filter(({ type }) => type === "credential.adopted");
  expect(told.at(-1)?.data).toMatchObject({ account: "app", secret: "app-db", version });
  expect(world.notifier.sent.some(({ type }) => type === "drift.found")).toBe(false);
});

test("A consumer that is away when a value is adopted is notified once it is back", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "written in the portal");
  const { version } = await writeByHand(world, "app", "written in the portal");
  world.setFault((effect) => (effect === "consumer.refresh" ? new Error("away") : undefined));
  await work(world, open, true);
  const record = await readRecord(world);
  expect(record.health).toBe("healthy");
  expect(record.refresh).toMatchObject({ failures: 1, published: { version } });
  expect(viewTarget(world.target, record).refresh?.version).toBe(version);
  const { because } = explainState(world.target, record, world.now());
  expect(because.join()).toContain(`could not be notified of version ${version}`);
  await workFor(world, day);
  const alarms = world.notifier.sent.filter(({ data }) => data["kind"] === "refresh");
  expect(alarms).toHaveLength(1);
  expect(alarms[0]?.data["message"]).toContain("away");
  world.setFault(() => undefined);
  await workFor(world, 7 * hour);
  expect(world.consumer.refreshes.map(({ published }) => published.version)).toEqual([version]);
  expect((await readRecord(world)).refresh).toBeUndefined();
});

test("A worker that dies after an adoption leaves the consumers to the next one", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "written in the portal");
  const { version } = await writeByHand(world, "app", "written in the portal");
  void work(
    world,
    (effect, call) => (effect === "consumer.refresh" ? new Promise(() => undefined) : call()),
    true,
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await readRecord(world)).refresh?.published.version).toBe(version);
  expect(world.consumer.refreshes).toEqual([]);
  await workFor(world, hour);
  expect(world.consumer.refreshes.map(({ published }) => published.version)).toEqual([version]);
});

test("A version that is published meanwhile replaces the one of which consumers were to be notified", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "written in the portal");
  const { version } = await writeByHand(world, "app", "written in the portal");
  world.setFault((effect) => (effect === "consumer.refresh" ? new Error("away") : undefined));
  await work(world, open, true);
  world.setFault(() => undefined);
  setPassword(world, "app", "a value of the vendor");
  await hand(world, "a value of the vendor");
  await workFor(world, day);
  expect(world.consumer.refreshes.map(({ published }) => published.version)).not.toContain(version);
  expect(world.consumer.refreshes).toHaveLength(1);
  expect((await readRecord(world)).refresh).toBeUndefined();
});

test("A consumer that is away when a secret is restored is notified later", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await workFor(world, hour);
  const { active = "" } = await readRecord(world);
  const before = world.consumer.refreshes.length;
  setPassword(world, active, "changed by hand");
  world.setFault((effect) =>
    effect === "consumer.refresh" || effect === "target.apply" ? new Error("away") : undefined,
  );
  await workFor(world, day + hour);
  expect((await readRecord(world)).refresh?.failures).toBeGreaterThan(0);
  world.setFault((effect) => (effect === "target.apply" ? new Error("away") : undefined));
  await workFor(world, 7 * hour);
  expect(world.consumer.refreshes.length).toBeGreaterThan(before);
});

test("An undo publishes the earlier value if it is still valid", async () => {
  const world = await adopted(handedIn);
  world.system.seconds.set("app", new Secret("a value of the vendor"));
  await hand(world, "a value of the vendor");
  await work(world);
  world.advance(minute);
  await requestUndo(world.ports(open), world.target, by);
  await work(world);
  expect(passwordOf(world)).toBe("first-secret-of-app");
});

test("Consumers that have heard of a newer value do not hear of the older one after it", async () => {
  const world = await adopted(handedIn);
  world.setFault((effect) => (effect === "consumer.refresh" ? new Error("away") : undefined));
  setPassword(world, "app", "written in the portal");
  const { version: older } = await writeByHand(world, "app", "written in the portal");
  await work(world, open, true);
  world.advance(10 * minute + 40_000);
  // The rotation waits between publishing and its end.
  world.setFault((effect) => (effect === "vault.disable" ? new Error("busy") : undefined));
  setPassword(world, "app", "a newer value");
  await hand(world, "a newer value");
  await workFor(world, 3 * hour);
  const heard = world.consumer.refreshes.map(({ published: { version } }) => version);
  expect(heard).toContain(world.vault.versions("app-db").at(-1)?.ref.version);
  expect(heard).not.toContain(older);
});
