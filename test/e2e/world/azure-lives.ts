import { expect, vi } from "vitest";
import { patient } from "./api.ts";
import type { LeakWorld } from "./leak-world.ts";

const busy = {
  do: "refuse",
  with: { status: 429, code: "TooManyRequests", message: "Too many requests.", retryAfter: 1 },
} as const;
const lost = { do: "lost-reply-after-effect" } as const;

/**
 * Begins rotations of keys and client secrets, which meet throttling, lost answers, a service that refuses a new key for a while, and an
 * identity that may only read. They take more than a minute, because such a secret is proven twice. Returns a function that waits for their
 * end.
 */
export async function beginAzureRotations({
  world: { api },
  azure: { storage, openai, bus, app },
}: LeakWorld): Promise<() => Promise<void>> {
  const rotated = ["storage", "openai", "bus", "app"];
  for (const name of rotated) await api.until(name, ({ health }) => health === "healthy");
  const spread = openai.lag();
  storage.arm.faults.on("list", { ...busy, times: 2 });
  storage.arm.faults.on("regenerate", busy);
  // A key counts as created by a request if it is more than a second younger, to the second.
  storage.arm.faults.on("regenerate", { do: "delay", ms: 2500 });
  storage.arm.faults.on("regenerate", lost);
  bus.arm.faults.on("regenerate", lost);
  const refused = app.faults.on("log-in", {
    do: "refuse",
    with: { error: "invalidSecret" },
    after: 1,
  });
  app.faults.on("add", busy);
  app.faults.on("add", lost);
  const [first] = app.application.secrets;

  const locations = await Promise.all(rotated.map((name) => api.rotate(name)));
  for (const name of ["locked-storage", "ruled-app"]) await api.rotate(name);
  // On a slow machine, a rotation may have succeeded before anybody looks.
  for (const name of ["locked-storage", "ruled-app", ...rotated]) {
    await api.until(
      name,
      ({ lastFailure, lastSuccessAt }) => (lastFailure ?? lastSuccessAt) !== undefined,
    );
  }
  spread();

  return async () => {
    for (const location of locations) {
      const { targetId, state, failure } = await api.ended(location);
      expect([targetId, state, failure?.message]).toEqual([targetId, "done", undefined]);
    }
    // The superseded secrets end, too.
    await vi.waitFor(() => {
      expect([storage, openai, bus].map(({ keys }) => keys.landed)).toEqual([2, 2, 2]);
      expect(app.accepts(first?.text ?? "")).toBe(false);
      expect(refused.fired).toBe(1);
    }, patient);
  };
}
