import { expect, test } from "vitest";
import { findObstacle } from "../../../shared/core/lifecycle/given.ts";
import { adopted, at, now, request, target } from "../orders.ts";

const waiting = { ...adopted, request };
const pause = { by: "ben", at: now, until: at(60), reason: "migration" };

test("A queued rotation prevents an import or an undo until it ends", () => {
  expect(findObstacle(waiting, target, now)?.refused).toMatch(
    /^rotation r1 of target orders is queued \(cause: \w+\)\. Wait until it ends$/,
  );
});

test("A queued rotation that a pause delays names what ends the wait", () => {
  expect(findObstacle({ ...waiting, pause }, target, now)?.refused).toContain(
    "It waits for the end of the pause. Resume the target",
  );
});

test("A queued rotation that waits for a freeze does not prevent an import or an undo", () => {
  const frozen = { ...waiting, request: { ...request, notBefore: at(60) } };
  expect(findObstacle(frozen, target, now)).toBeUndefined();
});
