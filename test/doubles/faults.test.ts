import { expect, test } from "vitest";
import { faultPoints } from "../../local/faults.ts";

interface Refusal {
  readonly code: number;
}

function start() {
  const faults = faultPoints<"change" | "look", Refusal>();
  let done = 0;
  const ask = async (effect: "change" | "look" = "change") => {
    const outcome = await faults.perform(
      effect,
      () => (done += 1),
      ({ code = 0 }) => -code,
    );
    return outcome.kind === "answer" ? outcome.answer : outcome.kind;
  };
  return { faults, ask, done: () => done };
}

test("without a fault the effect happens and is answered", async () => {
  const { ask } = start();
  expect([await ask(), await ask()]).toEqual([1, 2]);
});

test("each fault defines the effect and the answer", async () => {
  const { faults, ask, done } = start();
  faults.on("change", { do: "reset-before-effect" });
  expect([await ask(), done()]).toEqual(["reset", 0]);
  faults.on("change", { do: "lost-reply-after-effect" });
  expect([await ask(), done()]).toEqual(["reset", 1]);
  faults.on("change", { do: "hang" });
  expect([await ask(), done()]).toEqual(["silence", 1]);
  faults.on("change", { do: "hang", afterEffect: true });
  expect([await ask(), done()]).toEqual(["silence", 2]);
  faults.on("change", { do: "refuse", with: { code: 7 } });
  expect([await ask(), done()]).toEqual([-7, 2]);
});

test("a fault fires the given number of times, only on its own effect, and counts", async () => {
  const { faults, ask } = start();
  const fault = faults.on("change", { do: "refuse", times: 2 });
  expect([await ask(), await ask("look"), await ask(), await ask()]).toEqual([-0, 1, -0, 2]);
  expect(fault.fired).toBe(2);
});

test("faults on one effect fire in the order in which they were armed", async () => {
  const { faults, ask } = start();
  faults.on("change", { do: "hang" });
  faults.on("change", { do: "reset-before-effect" });
  expect([await ask(), await ask(), await ask()]).toEqual(["silence", "reset", 1]);
});

test("a delay passes on to the fault after it, in the same request", async () => {
  const { faults, ask } = start();
  const delay = faults.on("change", { do: "delay", ms: 1, times: Infinity });
  const lost = faults.on("change", { do: "lost-reply-after-effect" });
  expect([await ask(), await ask()]).toEqual(["reset", 2]);
  expect([delay.fired, lost.fired]).toEqual([2, 1]);
});

test("a disarmed fault does not fire", async () => {
  const { faults, ask } = start();
  const fault = faults.on("change", { do: "hang", times: Infinity });
  expect(await ask()).toBe("silence");
  fault.disarm();
  expect(await ask()).toBe(1);
});

test("a closing double does not wait for delays", async () => {
  const { faults, ask } = start();
  faults.on("change", { do: "delay", ms: 3_600_000 });
  const asked = ask();
  faults.release();
  expect(await asked).toBe(1);
});

test("a request is delayed until the test releases it", async () => {
  const { faults, ask, done } = start();
  const held = faults.on("change", { do: "delay", ms: 3_600_000, times: 2 });
  const first = ask();
  held.letGo();
  expect(await first).toBe(1);
  const second = ask();
  expect([held.fired, done()]).toEqual([2, 1]);
  held.letGo();
  expect(await second).toBe(2);
});

test("a fault may let requests pass before it fires", async () => {
  const { faults, ask } = start();
  const armed = faults.on("change", { do: "refuse", with: { code: 7 }, after: 2 });
  expect([await ask(), await ask(), armed.fired]).toEqual([1, 2, 0]);
  expect([await ask(), await ask(), armed.fired]).toEqual([-7, 3, 1]);
});
