import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { type FunctionsHost, type HostOptions, startHost } from "../../../local/host/host.ts";
import type { LogRecord } from "../../../local/host/log.ts";

export const fixtureApp = fileURLToPath(new URL("../fixtures/app", import.meta.url));

export interface HostedFixture extends FunctionsHost {
  records: LogRecord[];
  /** The lines that functions have logged, in order. */
  said(functionName: string): string[];
  /** Waits until a function has logged a line with this start. */
  heard(functionName: string, start: string): Promise<string>;
}

/** Hosts the fixture app, or the files of it that `main` matches, and keeps all log records. */
export async function hostFixture(options: Partial<HostOptions> = {}): Promise<HostedFixture> {
  const records: LogRecord[] = [];
  const said = (functionName: string) =>
    records
      .filter((record) => record.functionName === functionName && record.category === "user")
      .map(({ message }) => message);
  const host = await startHost({
    appDirectory: fixtureApp,
    settings: {},
    log: (record) => records.push(record),
    ...options,
  });
  return {
    ...host,
    records,
    said,
    heard: (functionName, start) =>
      vi.waitFor(
        () => {
          const line = said(functionName).find((message) => message.startsWith(start));
          if (line === undefined) throw new Error(`${functionName} has not logged "${start}"`);
          return line;
        },
        { timeout: 30_000, interval: 20 },
      ),
  };
}
