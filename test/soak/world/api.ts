import { readFile } from "node:fs/promises";
import type { TargetView } from "../../../shared/core/views.ts";

/** Calls the API like an operator's tool, at any host that answers. */
export interface Api {
  /** Returns every target by id, or undefined when no host answers. */
  views(): Promise<ReadonlyMap<string, TargetView> | undefined>;
  /** Requests a rotation. Returns its path, or undefined when no host accepted the request. */
  rotate(id: string): Promise<string | undefined>;
  /** Reports that somebody saw the secret. */
  expose(id: string): Promise<void>;
  /** Returns the state of a rotation by the path from `rotate`. */
  stateOf(path: string): Promise<string | undefined>;
}

const answerLimitMs = 15_000;

export function apiAt(urls: () => readonly string[], keysFile: string): Api {
  async function sendTo(url: string, method: string, path: string, body?: object) {
    const keys = JSON.parse(await readFile(keysFile, "utf8")) as { default: string };
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { "x-functions-key": keys.default, "content-type": "application/json" },
      signal: AbortSignal.timeout(answerLimitMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return response.ok ? { text, location: response.headers.get("location") } : undefined;
  }

  /** Returns undefined when no host gave a valid answer. Hosts stop and start, so this is not a failure of the test. */
  async function send(method: string, path: string, body?: object) {
    for (const url of urls()) {
      const answer = await sendTo(url, method, path, body).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  return {
    async views() {
      const answer = await send("GET", "/api/targets");
      if (answer === undefined) return undefined;
      const { targets } = JSON.parse(answer.text) as { targets: TargetView[] };
      return new Map(targets.map((view) => [view.id, view]));
    },
    async rotate(id) {
      const answer = await send("POST", `/api/targets/${id}/rotations`, {});
      return answer?.location ?? undefined;
    },
    async expose(id) {
      await send("POST", `/api/targets/${id}/exposures`, { by: "soak", from: "a log file" });
    },
    async stateOf(path) {
      const answer = await send("GET", path);
      return answer && (JSON.parse(answer.text) as { state: string }).state;
    },
  };
}
