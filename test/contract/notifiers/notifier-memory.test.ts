import { expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { makeMemoryNotifier } from "../../../shared/notifiers/memory-notifier.ts";
import { notifierSuite } from "./notifier.suite.ts";

notifierSuite("a notifier in memory", () => {
  const notifier = makeMemoryNotifier();
  return Promise.resolve({
    notifier,
    told: () =>
      notifier.sent.map(({ id, targetId, at, data }) => ({
        id,
        targetId,
        at,
        data: { ...data, targetId },
      })),
    close: () => Promise.resolve(),
  });
});

it("a notifier in memory throws and keeps nothing while it is broken", async () => {
  const notifier = makeMemoryNotifier();
  const alarm = { id: "1", type: "alarm", targetId: "t", at: "", data: {} } as const;
  const signal = new AbortController().signal;
  notifier.broken = true;
  await failure(notifier.send([alarm], signal));
  expect(notifier.sent).toEqual([]);
  notifier.broken = false;
  await notifier.send([alarm], signal);
  expect(notifier.sent).toEqual([alarm]);
});
