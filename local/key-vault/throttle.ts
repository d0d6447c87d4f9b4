/** What the real service allows per vault and region in ten seconds. */
const ALLOWED = { create: 300, other: 4000 } as const;
const WINDOW_MS = 10_000;

export type RequestKind = keyof typeof ALLOWED;

export interface Throttle {
  /** Undefined lets the request pass and counts it; else the seconds to wait. A refused request
   *  does not count. */
  refuse(kind: RequestKind, now: number): number | undefined;
}

/** Sliding windows. `scale` multiplies the real limits; Infinity turns them off. */
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
