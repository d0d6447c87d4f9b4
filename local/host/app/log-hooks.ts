import { createHostLog, type Log, type LogLevel, type LogSubject, toErrorMessage } from "../log.ts";
import type { HookCallback } from "./core-module.ts";

/** The argument of a log hook, which may change the level and the message. */
export interface LogContext extends Record<string, unknown> {
  level: LogLevel;
  category: "user" | "system";
  message: string;
  hookData: Record<string, unknown>;
  appHookData: Record<string, unknown>;
  invocationContext?: object;
}

/**
 * Writes one line of the app after its log hooks have run. A log hook may redact secrets, so a line whose hook throws is
 * dropped.
 */
export function writeThroughHooks(
  hooks: readonly HookCallback[],
  log: Log,
  context: LogContext,
  about: LogSubject,
): void {
  try {
    for (const hook of hooks) hook(context);
  } catch (error) {
    const reason = toErrorMessage(error);
    createHostLog(log)(
      "error",
      `A log line was dropped because a log hook failed: ${reason}`,
      about,
    );
    return;
  }
  if (context.level === "none") return;
  const { level, category, message } = context;
  log({ time: new Date().toISOString(), level, category, ...about, message });
}
