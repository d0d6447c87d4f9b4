import { ChangeRefusedError, TargetUnavailableError } from "../../core/errors.ts";

/** Databases that are checked at the same time. Each takes a connection, which counts towards the limits of the service tier. */
const atOnce = 8;
/** So many databases can be checked within the limit of a call, if each takes half a second. */
export const maxDatabases = 200;

const instead = "Use contained users, which are in one database only, or retire: grace";

export interface Search {
  /** Begins the messages. */
  readonly where: string;
  /** Whether there is a session in this database. It ends soon after the signal fires. */
  readonly check: (database: string, signal: AbortSignal) => Promise<boolean>;
}

/**
 * Whether there is a session in any of the databases. True as soon as one is found. False only if every database has answered:
 * otherwise it throws the first error of a check, or an error that says how many databases answered.
 */
export async function searchDatabases(
  names: readonly string[],
  { where, check }: Search,
  signal: AbortSignal,
): Promise<boolean> {
  if (names.length > maxDatabases) {
    throw new ChangeRefusedError(
      `${where}: Keyturn cannot find out who is logged in: the server has ${names.length} other databases, and Keyturn checks ` +
        `at most ${maxDatabases}. ${instead}.`,
    );
  }
  const waiting = [...names];
  const silent = new Set<string>();
  let ended: { readonly isFound: true } | { readonly error: unknown } | undefined;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);

  async function checkInTurn(): Promise<void> {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      silent.add(name);
      try {
        const isFound = await check(name, either);
        if (isFound) ended ??= { isFound };
        silent.delete(name);
      } catch (error) {
        // The error of a check that was cut off has no meaning.
        if (!either.aborted) ended ??= { error };
      }
      if (ended || either.aborted) {
        stop.abort();
        return;
      }
    }
  }

  await Promise.all(Array.from({ length: atOnce }, checkInTurn));
  if (ended && "error" in ended) throw ended.error;
  if (ended) return true;
  if (waiting.length === 0 && silent.size === 0) return false;
  throw tooLate(where, { total: names.length, silent: [...silent], waiting: waiting.length });
}

interface Unseen {
  readonly total: number;
  /** The databases that had not answered. */
  readonly silent: readonly string[];
  readonly waiting: number;
}

function tooLate(where: string, { total, silent, waiting }: Unseen): Error {
  const seen = total - silent.length - waiting;
  const names = silent.map((name) => `\`${name}\``).join(", ");
  return new TargetUnavailableError(
    `${where}: Keyturn cannot find out who is logged in: ${seen} of ${total} other databases answered within the time limit` +
      `${silent.length > 0 ? `, and these did not: ${names}` : ""}. ${instead}`,
  );
}
