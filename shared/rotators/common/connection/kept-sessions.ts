import { createHash } from "node:crypto";
import type { Credential } from "../../../core/secrets/secret.ts";
import { minute, second } from "../../../core/time.ts";

/** A log-in that can outlive the call that made it. */
export interface Keepable {
  /** Sets the session aside: its signal has no effect, and it does not keep the process alive. */
  rest(): void;
  /** Whether the server still answers. From now on this signal ends the session. A session that does not answer is closed. */
  resume(signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** The connection below a session that can outlive its call. */
interface RestingLine {
  rest(): void;
  /** From now on, this signal ends the line. */
  wake(signal: AbortSignal): void;
  close(): Promise<void>;
}

/** `ask` fails if the server no longer answers. */
export function toKeepable(line: RestingLine, ask: () => Promise<unknown>): Keepable {
  return {
    rest: () => {
      line.rest();
    },
    async resume(signal) {
      line.wake(signal);
      try {
        await ask();
        return true;
      } catch {
        await line.close();
        return false;
      }
    },
    close: () => line.close(),
  };
}

/** The input of a log-in, and whether the session may stay open after the call. */
export interface Authorization {
  readonly options: unknown;
  readonly credential: Credential;
  readonly mayStay: boolean;
  /** Whether the session ends with the call, for example because the account has just received a new secret. */
  readonly isLast?: boolean;
}

/** Sessions that stay open for a few idle seconds, for the next call with the same options and credential. */
export interface KeptSessions<Session> {
  /** Runs the work on a session that no other call uses meanwhile. If the work fails, the session is closed. */
  use<Result>(
    authorization: Authorization,
    signal: AbortSignal,
    logIn: () => Promise<Session | "rejected">,
    work: (session: Session) => Promise<Result>,
  ): Promise<Result | "rejected">;
  /** Keeps an open session. */
  keep(authorization: Authorization, session: Session): void;
}

/** Milliseconds that an idle session stays open. */
const maxIdleMs = 5 * second;
/** Milliseconds from the log-in on. The limit is short, so that an account that loses its right to log in is soon logged out. */
const maxLifeMs = minute;

interface Kept<Session> {
  readonly session: Session;
  readonly timer: NodeJS.Timeout;
}

export function makeKeptSessions<Session extends Keepable>(): KeptSessions<Session> {
  const idle = new Map<string, readonly Kept<Session>[]>();
  const loggedInAt = new WeakMap<Session, number>();

  function remove(key: string, kept: Kept<Session>): void {
    clearTimeout(kept.timer);
    const others = (idle.get(key) ?? []).filter((one) => one !== kept);
    if (others.length === 0) idle.delete(key);
    else idle.set(key, others);
  }

  async function take(key: string, signal: AbortSignal): Promise<Session | undefined> {
    for (let kept = idle.get(key)?.at(-1); kept; kept = idle.get(key)?.at(-1)) {
      remove(key, kept);
      if (await kept.session.resume(signal)) return kept.session;
    }
    return undefined;
  }

  function keep(authorization: Authorization, session: Session): void {
    const key = toKey(authorization);
    const since = loggedInAt.get(session) ?? performance.now();
    loggedInAt.set(session, since);
    if (performance.now() - since > maxLifeMs) {
      leave(session);
      return;
    }
    session.rest();
    const timer = setTimeout(() => {
      remove(key, kept);
      leave(session);
    }, maxIdleMs).unref();
    const kept = { session, timer };
    idle.set(key, [...(idle.get(key) ?? []), kept]);
  }

  return {
    keep,
    async use(authorization, signal, logIn, work) {
      const { mayStay, isLast = false } = authorization;
      const known = mayStay ? await take(toKey(authorization), signal) : undefined;
      const session = known ?? (await logIn());
      if (session === "rejected") return session;
      try {
        const result = await work(session);
        if (mayStay && !isLast) keep(authorization, session);
        else await session.close();
        return result;
      } catch (error) {
        await session.close();
        throw error;
      }
    },
  };
}

/** Closes in the background: no caller waits for the result. */
function leave(session: Keepable): void {
  session.close().catch(() => undefined);
}

/** The key contains no secret. */
function toKey({ options, credential: { account, secret } }: Authorization): string {
  const parts = JSON.stringify([options, account, secret.reveal()]);
  return createHash("sha256").update(parts).digest("base64");
}
