import { type RequestLimits, spend, type Spent } from "../core/limits/token-bucket.ts";
import { between, type Instant, minute, plus, second, toInstant } from "../core/time.ts";
import type { PaceMark, PaceStore } from "./pace.ts";
import type { Admission, RequestLimiter } from "./request-limiter.ts";

/**
 * An instance admits this part of what is left before it queries the storage again. So a caller with few requests costs no call, and the
 * instances become more exact the less is left.
 */
const share = 1 / 20;

/** How many races against other instances one question may lose. Each is lost to a request that was admitted. */
const maxRaces = 50;

/** Milliseconds without a question after the storage failed. */
const restMs = 5 * second;

/** Buckets in memory. The one that was not used for longest goes first. */
const maxBuckets = 1_000;

/** A limiter whose buckets are marks that all instances share. */
export function makeSharedLimiter(
  store: PaceStore,
  limits: RequestLimits,
  now: () => Date,
): RequestLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    admit(caller, kind) {
      const name = `${kind}-${caller}`;
      const bucket =
        buckets.get(name) ?? makeBucket(store, name, limits[kind], () => toInstant(now()));
      buckets.delete(name);
      buckets.set(name, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > maxBuckets && oldest !== undefined) buckets.delete(oldest);
      return bucket();
    },
  };
}

type Bucket = () => Promise<Admission>;

/** What one instance knows about a bucket. */
interface Known {
  /** With what this instance has admitted since it asked. */
  fullAt: Instant | undefined;
  mark: PaceMark | undefined;
  /** Admitted since then, and not in storage. */
  unreported: number;
  /** How many it may admit before it queries again. */
  allowance: number;
  askedAt: Instant;
  /** The storage failed: no question before this moment. */
  restUntil: Instant | undefined;
}

/** Answers one request after another, so that only one of them queries the storage. */
function makeBucket(store: PaceStore, name: string, limit: number, now: () => Instant): Bucket {
  const initial = Math.floor(limit * share);
  const known: Known = {
    ...{ fullAt: undefined, mark: undefined, unreported: 0 },
    ...{ allowance: initial, askedAt: now(), restUntil: undefined },
  };
  const toAdmission = ({ fullAt, remaining, wait }: Spent, at: Instant): Admission => ({
    ...{ wait, limit, remaining: wait > 0 ? 0 : remaining },
    fullIn: Math.max(0, between(at, fullAt)),
  });

  async function decide(): Promise<Admission> {
    const at = now();
    const age = between(known.askedAt, at);
    if (age >= minute || age < 0) {
      // What was admitted a minute ago is refilled, and what others used is not known any more.
      Object.assign(known, { unreported: 0, allowance: initial, askedAt: at });
    }
    const local = spend(known.fullAt, 1, limit, at);
    // The bucket only refills with time, so a question cannot help.
    if (local.wait > 0) return toAdmission(local, at);
    const isResting = known.restUntil !== undefined && known.restUntil > at;
    const shared =
      isResting || known.unreported < known.allowance ? undefined : await ask(at).catch(rest);
    if (!shared) {
      known.unreported++;
      known.fullAt = local.fullAt;
    }
    return toAdmission(shared ?? local, at);
  }

  function rest(): undefined {
    known.restUntil = plus(now(), restMs);
    return undefined;
  }

  /** Reports what this instance has admitted, and takes one more. Undefined after many races. */
  async function ask(at: Instant): Promise<Spent | undefined> {
    let { mark } = known;
    for (let races = 0; races < maxRaces; races++) {
      // The stored mark is most likely the one that this instance wrote last.
      if (races > 0 || !mark) mark = await store.read(name);
      const { spent, stored } = take(mark?.freeAt, at);
      const hasNews = spent.wait === 0 || known.unreported > 0;
      const written = hasNews ? await store.write(name, stored, mark?.etag) : mark;
      if (!written) continue;
      Object.assign(known, { mark: written, unreported: 0, askedAt: at, fullAt: stored });
      known.allowance = Math.floor(spent.remaining * share);
      return spent;
    }
    return undefined;
  }

  /** A request that is refused takes nothing, but what was admitted before counts. */
  function take(fullAt: Instant | undefined, at: Instant) {
    const spent = spend(fullAt, known.unreported + 1, limit, at);
    if (spent.wait === 0) return { spent, stored: spent.fullAt };
    const reported = spend(fullAt, known.unreported, limit, at);
    return { spent: spend(reported.fullAt, 1, limit, at), stored: reported.fullAt };
  }

  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const admission = last.then(decide);
    last = admission.catch(() => undefined);
    return admission;
  };
}
