import { describe, expect, test } from "vitest";
import { OutcomeUnknownError, TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { explainState } from "../../../../shared/core/explanation/explanation.ts";
import { day, hour } from "../../../../shared/core/time.ts";
import type { RotationInput } from "../../../../shared/engine/inbox/request-rotation.ts";
import { accepted, importInto, undo } from "../../given-steps.ts";
import { seen } from "../../policy-world.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, ask, readRecord, request, rotate, work } from "../../steps.ts";
import { type Gate, singleAdmin, singleSelf, type World } from "../../world.ts";

const runOf = (world: World, id: string) => world.journal.run("app", id);

/** Disables what is published now. Only the published account itself can change its password. */
const disablePublished = async (world: World) => {
  const { ref } = newest(world);
  await world.vault.disable(ref, new AbortController().signal);
};

function newest(world: World) {
  const found = world.vault.versions("app-db").at(-1);
  if (!found) throw new Error("nothing is published");
  return found;
}

const lost = (effect: string) =>
  effect === "target.apply" ? new OutcomeUnknownError("the reply was lost") : undefined;

/** A rotation of a given secret is blocked, because nobody can read the published secret, and a request waits behind it. */
async function blockedBefore(begin: (world: World) => Promise<object>) {
  const world = await adopted(singleSelf);
  await rotate(world);
  world.setFault(lost);
  const blocked = await accepted(begin(world));
  await work(world);
  const queued = await request(world);
  expect(queued).not.toBe(blocked);
  await disablePublished(world);
  await workFor(world, 3 * hour);
  expect(await readRecord(world)).toMatchObject({
    health: "blocked",
    request: { rotationId: queued },
  });
  return { world, blocked, queued };
}

/** A person does what the message about the blocked target says, except for the request. */
function repair(world: World): void {
  world.setFault(() => undefined);
  world.vault.enable(newest(world).ref);
}

describe.each([
  { what: "an import", begin: (world: World) => importInto(world) },
  { what: "an undo", begin: (world: World) => undo(world) },
])("While a request waits behind $what that is blocked,", ({ begin }) => {
  const asking: readonly Partial<RotationInput>[] = [
    { requestedBy: "anna" },
    { reason: "exposure", requestedBy: "security" },
    { reason: "exposure", seen: { by: "ben", kind: "exposure" } },
    { reason: "linked", requestedBy: "keyturn" },
  ];
  test.each(asking)("the next request makes both end: %o", async (wanted) => {
    const { world, blocked, queued } = await blockedBefore(begin);
    repair(world);
    const answer = await ask(world, wanted);
    expect(answer).toMatchObject({
      rotationId: queued,
      joined: true,
      why: expect.stringContaining(
        `rotation ${blocked}, which was blocked, is retried first`,
      ) as string,
      waiting: { why: `rotation ${blocked} of the target must end first` },
    });
    await work(world);
    expect((await runOf(world, blocked))?.state).toBe("done");
    expect((await runOf(world, queued))?.state).toBe("done");
    const record = await readRecord(world);
    expect(record).toMatchObject({ health: "healthy" });
    expect(record.request).toBeUndefined();
    expect(world.publishedWorks()).toBe(true);
  });

  test("nothing continues by itself, nor for a scheduled rotation or a report", async () => {
    const { world, blocked } = await blockedBefore(begin);
    repair(world);
    await request(world, { notBefore: "2026-02-01T00:00:00.000Z" });
    await seen(world);
    await workFor(world, 2 * day);
    expect(await readRecord(world)).toMatchObject({ health: "blocked", rotation: { id: blocked } });
  });

  test("the explanation suggests the request, until it was made", async () => {
    const { world, blocked } = await blockedBefore(begin);
    repair(world);
    const suggested = async () =>
      explainState(world.target, await readRecord(world), world.now()).actions.map(
        ({ kind }) => kind,
      );
    expect(await suggested()).toContain("request-rotation");
    await request(world);
    expect(await suggested()).not.toContain("request-rotation");
    const { state } = explainState(world.target, await readRecord(world), world.now());
    expect(state).toBe("rotating");
    expect((await readRecord(world)).request?.hurries).toBe(blocked);
  });

  test("a request whose cause is not fixed leaves both as they are, and can be made again", async () => {
    const { world, blocked, queued } = await blockedBefore(begin);
    for (let tries = 0; tries < 2; tries++) {
      await request(world);
      await workFor(world, hour);
      const record = await readRecord(world);
      expect(record).toMatchObject({ health: "blocked", request: { rotationId: queued } });
      expect(record.request?.hurries).toBeUndefined();
    }
    repair(world);
    await request(world);
    await work(world);
    expect((await runOf(world, blocked))?.state).toBe("done");
    expect((await runOf(world, queued))?.state).toBe("done");
  });
});

test("A request is not lost that comes while a worker holds the blocked target", async () => {
  const { world, blocked, queued } = await blockedBefore((one) => importInto(one));
  repair(world);
  let asked = false;
  const gate: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "journal.commit" && !asked) {
      asked = true;
      expect((await readRecord(world)).claim.owner).toBeDefined();
      await request(world);
    }
    return result;
  };
  await work(world, gate, true);
  expect(asked).toBe(true);
  expect((await runOf(world, blocked))?.state).toBe("done");
  expect((await runOf(world, queued))?.state).toBe("done");
});

test("A request ends the wait of an import for a server that is back, and follows it", async () => {
  const world = await adopted(singleAdmin);
  world.setFault((effect) =>
    effect === "target.verify" ? new TargetUnavailableError("the server is down") : undefined,
  );
  const first = await accepted(importInto(world));
  await work(world);
  world.setFault(() => undefined);
  const answer = await ask(world);
  expect(answer.joined).toBe(false);
  expect(answer.why).toContain(`rotation ${first}, which waited, continues first`);
  await work(world);
  expect((await runOf(world, first))?.state).toBe("done");
  expect((await runOf(world, answer.rotationId))?.state).toBe("done");
});

test("The explanation of an import that waits suggests no request, which would replace the imported secret", async () => {
  const world = await adopted(singleAdmin);
  world.setFault((effect) =>
    effect === "target.verify" ? new TargetUnavailableError("the server is down") : undefined,
  );
  await accepted(importInto(world));
  await work(world);
  const { actions } = explainState(world.target, await readRecord(world), world.now());
  expect(actions.map(({ kind }) => kind)).not.toContain("request-rotation");
});
