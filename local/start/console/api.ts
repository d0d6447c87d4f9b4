import { z } from "zod";
import type { EnvironmentFile } from "../environment/environment-file.ts";

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
  state: z.enum(["queued", "running", "done", "failed", "blocked"]),
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

interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client for the routes of the HTTP API that the console needs. */
export function makeApi({ url, key }: EnvironmentFile["functions"]) {
  async function ask<Shape>(path: string, shape: z.ZodType<Shape>, more: Request = {}) {
    const headers = { "x-functions-key": key, ...more.headers };
    const reply = await fetch(`${url}/api/${path}`, {
      method: more.method ?? "GET",
      headers,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await reply.json().catch(() => undefined);
    if (reply.ok) return shape.parse(body);
    const { data } = refusal.safeParse(body);
    throw new Error(
      `/api/${path} failed with status ${reply.status}. ${data?.detail ?? ""}`.trim(),
    );
  }
  return {
    targets: async (): Promise<TargetView[]> =>
      (await ask("targets", z.object({ targets: z.array(targetShape) }))).targets,
    target: (id: string): Promise<TargetView> => ask(`targets/${id}`, targetShape),
    /** Returns the rotation's id; calls with the same idempotency key get the same id. */
    rotate: async (id: string, idempotencyKey: string): Promise<string> => {
      const headers = { "idempotency-key": idempotencyKey };
      const init = { method: "POST", headers };
      return (await ask(`targets/${id}/rotations`, accepted, init)).rotation;
    },
    rotation: (id: string, rotation: string): Promise<RotationView> =>
      ask(`targets/${id}/rotations/${rotation}`, rotationShape),
  };
}

export type Api = ReturnType<typeof makeApi>;
