import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connectLimit } from "../../shared/rotators/common/connection/connect-limit.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a connection that is late times out once, and the sentence says why", () => {
  const giveUp = vi.fn();
  const limit = connectLimit(5_000, giveUp);
  vi.advanceTimersByTime(4_999);
  expect(giveUp).not.toHaveBeenCalled();
  expect(limit.reached()).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(giveUp).toHaveBeenCalledOnce();
  expect(limit.reached()).toBe("connecting timed out after 5s (timeouts.connect)");
});

test("an open connection has no further limit", () => {
  const giveUp = vi.fn();
  const limit = connectLimit(5_000, giveUp);
  limit.end();
  vi.advanceTimersByTime(3_600_000);
  expect(giveUp).not.toHaveBeenCalled();
  expect(limit.reached()).toBeUndefined();
});

test("without a limit nothing times out, and no timer keeps the process alive", () => {
  const giveUp = vi.fn();
  const limit = connectLimit(undefined, giveUp);
  expect(vi.getTimerCount()).toBe(0);
  expect(limit.reached()).toBeUndefined();
  limit.end();
});
