export type LogLevel =
  "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";

/** Who wrote the line: a function (`user`), the function library (`system`) or this host (`host`). */
export type LogCategory = "user" | "system" | "host";

export interface LogRecord {
  /** ISO 8601, UTC. */
  time: string;
  level: LogLevel;
  category: LogCategory;
  functionName?: string;
  invocationId?: string;
  message: string;
}

export type Log = (record: LogRecord) => void;

/** Writes a line of the host itself and adds the time. */
export type HostLog = (level: LogLevel, message: string, about?: LogSubject) => void;

export interface LogSubject {
  functionName?: string;
  invocationId?: string;
}

export const createHostLog =
  (log: Log): HostLog =>
  (level, message, about) => {
    log({ time: new Date().toISOString(), level, category: "host", ...about, message });
  };

export const toErrorMessage = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
