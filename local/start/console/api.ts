import { z } from "zod";
import type { EnvironmentFile } from "../environment/kept.ts";

const version = z.object({ version: z.string() });
const failure = z.object({ message: z.string() });

const targetShape = z.object({
  id: z.string(),
  health: z.enum(["new", "healthy", "failing", "blocked", "unreadable"]),
  accounts: z.array(z.string()),
  active: z.string().optional(),
  published: version.optional(),
  nextDue: z.string().optional(),
  /** The rotation in progress. */
  rotation: z.object({ phase: z.string() }).optional(),
  lastFailure: failure.optional(),
  slots: z.array(z.object({ account: z.string(), abandoned: version.optional() })),
});
export type TargetView = z.output<typeof targetShape>;

const rotationShape = z.object({
  state: z.enum(["queued", "running", "done", "failed", "blocked", "cancelled"]),
  account: z.string().optional(),
  /** Milliseconds. */
  duration: z.number().optional(),
  published: version.optional(),
  failure: failure.optional(),
});
export type RotationView = z.output<typeof rotationShape>;

const accepted = z.object({ rotation: z.string() });
const refusal = z.object({ detail: z.string() });

const timeoutMs = 30_000;

/** A client for the routes of the HTTP API that the console needs. */
export function makeApi({ url, key }: EnvironmentFile["functions"]) {
  async function ask<Shape>(path: string, shape: z.ZodType<Shape>, init: RequestInit = {}) {
    const headers = new Headers(init.headers);
    headers.set("x-functions-key", key);
    const signal = AbortSignal.timeout(timeoutMs);
    const reply = await fetch(`${url}/api/${path}`, { ...init, headers, signal });
    const body: unknown = await reply.json().catch(() => undefined);
    if (reply.ok) return shape.parse(body);
    const why = refusal.safeParse(body).data?.detail ?? "";
    throw new Error(`/api/${path} failed with status ${reply.status}. ${why}`.trim());
  }
  return {
    targets: async () =>
      (await ask("targets", z.object({ targets: z.array(targetShape) }))).targets,
    target: (id: string) => ask(`targets/${id}`, targetShape),
    rotation: (id: string, rotation: string) =>
      ask(`targets/${id}/rotations/${rotation}`, rotationShape),
    /** Returns the rotation's id. */
    rotate: async (id: string) =>
      (await ask(`targets/${id}/rotations`, accepted, { method: "POST" })).rotation,
  };
}

export type Api = ReturnType<typeof makeApi>;
