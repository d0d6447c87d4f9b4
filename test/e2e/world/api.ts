import { vi } from "vitest";
import type { RunView, TargetView } from "../../../shared/core/views.ts";
import type { Alarm } from "../../../shared/stores/journal.ts";

/** Options for `expect.poll` that only limit a hang. */
export const patient = { timeout: 100_000, interval: 50 } as const;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Posted {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The app's HTTP functions as an operator's tool calls them. */
export interface Api {
  send(method: string, path: string, init?: RequestInit): Promise<Answer>;
  /** The JSON of the answer. Throws unless the request succeeds. */
  read<Body>(path: string): Promise<Body>;
  /** Posts JSON, and returns the JSON of the answer. */
  post(path: string, body?: object): Promise<Posted>;
  target(id: string): Promise<TargetView>;
  rotations(id: string): Promise<RunView[]>;
  alarms(): Promise<Alarm[]>;
  /** Requests a rotation, and returns the path of its state. */
  rotate(id: string, wanted?: Wanted): Promise<string>;
  /** Follows a rotation until it has ended. */
  ended(location: string): Promise<RunView>;
  /** Waits until the target satisfies `wanted`. */
  until(id: string, wanted: (view: TargetView) => boolean): Promise<TargetView>;
}

export interface Wanted {
  readonly grace?: string;
  readonly idempotencyKey?: string;
}

/** `urlOf` is called for each request, because a restarted host has another port. */
export function apiAt(
  urlOf: () => string,
  keyOf: () => Promise<string>,
  told: (answer: Answer) => void = () => undefined,
): Api {
  async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = {
      "x-functions-key": await keyOf(),
      ...Object.fromEntries(new Headers(init.headers)),
    };
    const response = await fetch(`${urlOf()}${path}`, { ...init, method, headers });
    const answer = {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    };
    told(answer);
    return answer;
  }

  async function read<Body>(path: string): Promise<Body> {
    const { status, text } = await send("GET", path);
    if (status !== 200) throw new Error(`GET ${path} failed with status ${status}: ${text}`);
    return JSON.parse(text) as Body;
  }

  const target = (id: string) => read<TargetView>(`/api/targets/${id}`);
  return {
    send,
    read,
    async post(path, body) {
      const headers = { "content-type": "application/json" };
      const init = body ? { headers, body: JSON.stringify(body) } : {};
      const { status, text } = await send("POST", path, init);
      return { status, body: JSON.parse(text) as Posted["body"] };
    },
    target,
    rotations: async (id) =>
      (await read<{ rotations: RunView[] }>(`/api/targets/${id}/rotations?limit=100`)).rotations,
    alarms: async () => (await read<{ alarms: Alarm[] }>("/api/alarms?limit=100")).alarms,
    async rotate(id, { grace, idempotencyKey } = {}) {
      const answer = await send("POST", `/api/targets/${id}/rotations`, {
        headers: {
          "content-type": "application/json",
          ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
        },
        body: JSON.stringify({ ...(grace !== undefined && { grace }) }),
      });
      const location = answer.headers.get("location");
      if (answer.status === 202 && location !== null) return location;
      throw new Error(
        `The rotation request for ${id} failed with status ${answer.status}: ${answer.text}`,
      );
    },
    ended: (location) =>
      vi.waitFor(async () => {
        const run = await read<RunView>(location);
        if (run.state === "done" || run.state === "failed" || run.state === "blocked") return run;
        throw new Error(`${location} is still ${run.state}: ${run.failure?.message ?? ""}`);
      }, patient),
    until: (id, wanted) =>
      vi.waitFor(async () => {
        const view = await target(id);
        if (wanted(view)) return view;
        throw new Error(`Target ${id} is not in the expected state yet: ${JSON.stringify(view)}`);
      }, patient),
  };
}
