/** Requests that the real service allows for each vault and region in ten seconds. */
const ALLOWED = { create: 300, other: 4000 } as const;
const WINDOW_MS = 10_000;

export type RequestKind = keyof typeof ALLOWED;

export interface Throttle {
  /** Returns the seconds to wait, or undefined when the request may pass. Counts only requests that pass. */
  refuse(kind: RequestKind, now: number): number | undefined;
}

/** Makes a throttle with sliding windows. `scale` multiplies the real limits; Infinity disables them. */
export function createThrottle(scale: number): Throttle {
  const passed: Record<RequestKind, number[]> = { create: [], other: [] };
  return {
    refuse(kind, now) {
      const allowed = Math.max(1, Math.floor(ALLOWED[kind] * scale));
      if (allowed === Infinity) return undefined;
      const recent = passed[kind].filter((at) => at > now - WINDOW_MS);
      passed[kind] = recent;
      const oldest = recent[recent.length - allowed];
      if (oldest !== undefined) return Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000));
      recent.push(now);
      return undefined;
    },
  };
}
