import { expect, it } from "vitest";
import { failRotation } from "../../../shared/core/lifecycle/after-failure.ts";
import { acceptExposure } from "../../../shared/core/lifecycle/exposure.ts";
import { decideStart } from "../../../shared/core/lifecycle/permit.ts";
import { beginRotation, toRunRecord } from "../../../shared/core/lifecycle/progress.ts";
import { acceptRequest, joinRequest } from "../../../shared/core/lifecycle/request.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { adopted, at, begun, failure, grounds, now, request, target } from "../orders.ts";

const hers = { reason: "host compromised", ticket: "INC0007" };
const his = { reason: "vendor asked", ticket: "CHG0042" };
const anna = { ...request, justification: hers };
const ben = { ...request, rotationId: "r2", requestedBy: "ben", justification: his };

it("The reason and the ticket of a request are in its history, from the queue to the end and in repeats", () => {
  const { record, run } = acceptRequest(adopted, anna, target, now);
  expect(run).toMatchObject({ justification: hers });
  expect(run?.why).toContain(
    "Requested by anna (cause: operator; reason: host compromised; ticket: INC0007); ",
  );
  const begun = beginRotation(record, { account: "orders_b", request: anna, grounds, now });
  const { rotation } = begun;
  if (!rotation) throw new Error("no rotation");
  expect(rotation.justification).toEqual(hers);
  expect(toRunRecord(rotation, { record: begun, state: "done", now })).toMatchObject({
    justification: hers,
  });
  expect(begun.outbox.at(-1)?.data).toMatchObject({ cause: "operator", ...hers });
  const failed = failRotation(begun, rotation, failure("change-refused"), target.policy);
  expect(failed.again?.justification).toEqual(hers);
  const again = decideStart({ ...failed, nextDue: at(1) }, target, at(2));
  expect("intent" in again && again.intent.justification).toEqual(hers);
});

it("The first words stay when another person joins, unless that person reports an exposure", () => {
  const waiting = acceptRequest(adopted, anna, target, now).record;
  expect(acceptRequest(waiting, ben, target, at(1)).record.request?.justification).toEqual(hers);
  const leak = { ...ben, reason: "exposure" } as const;
  const exposed = acceptRequest(waiting, leak, target, at(1)).record;
  expect(exposed.request?.justification).toEqual(his);
  expect(exposed.request?.why).toContain("then by ben (cause: exposure; reason: vendor asked;");
  const without = { ...leak, justification: {} };
  const { justification: _, ...wordless } = without;
  expect(acceptRequest(waiting, wordless, target, at(1)).record.request?.justification).toEqual(
    hers,
  );
});

it("A report of an exposure keeps its words, and nothing else of the caller", () => {
  const report = { by: "scanner", kind: "exposure", at: now } as const;
  const kept = (justification: object) =>
    acceptExposure(adopted, target, { ...report, justification }, now).record.exposure;
  expect(kept({ by: "function key", ...hers })).toEqual({ ...report, justification: hers });
  expect(kept({ by: "function key" })).toEqual(report);
});

it("A request that adds the only words to a waiting one is recorded, and a repetition writes nothing", () => {
  const waiting = acceptRequest(adopted, request, target, now).record;
  const { record } = acceptRequest(waiting, ben, target, at(1));
  expect(record.request).toMatchObject({
    requestedBy: "anna",
    justification: his,
    why: "Requested by anna (cause: operator); then by ben (cause: operator; reason: vendor asked; ticket: CHG0042)",
  });
  expect(acceptRequest(record, ben, target, at(2)).record).toBe(record);
});

it("An open rotation takes the words of a person who joins it, and keeps those of the first person", () => {
  const join = (record: TargetRecord, asked: typeof ben) => {
    const joined = acceptRequest(record, asked, target, at(1)).record;
    return joinRequest(joined, at(1)).rotation?.justification;
  };
  expect(join(begun(), ben)).toEqual(his);
  const open = begun();
  const justified = { ...open, rotation: { ...open.rotation, justification: hers } };
  expect(join(justified, ben)).toEqual(hers);
  const bySchedule = { ...justified.rotation, requestedBy: "schedule", changeBegan: false };
  expect(join({ ...justified, rotation: bySchedule }, ben)).toEqual(his);
});
