import { z } from "zod";
import {
  type Act,
  type Breach,
  type BreachItem,
  type BreachRow,
  type BreachSelection,
  breachStates,
  type BreachSummary,
  type ConsumerShare,
  type Estimate,
  itemStates,
  type Obstacle,
  obstacleKinds,
  type Share,
  type Waits,
} from "../../core/breach/breach.ts";
import { recordSchema } from "../../core/record/record.ts";
import { codec, type Nested, readEach, type StoredRow } from "./columns.ts";
import {
  count,
  failure,
  instant,
  makeShape,
  maybe,
  notification,
  text,
  version,
} from "./records.ts";

const act = makeShape<Act>()({
  by: text,
  at: instant,
  reason: maybe(text),
  ticket: maybe(text),
});
const share = { name: text, count, seconds: count };
const counts = z.record(z.enum(itemStates), count);

const selection = makeShape<BreachSelection>()({
  targets: maybe(z.array(text)),
  policy: maybe(text),
  type: maybe(text),
  vault: maybe(text),
  tags: maybe(z.array(z.tuple([text, text]))),
  host: maybe(text),
  exposedBy: maybe(text),
});

const summary = makeShape<BreachSummary>()({
  targets: count,
  withGap: count,
  keepOldPassword: count,
  obstacles: z.partialRecord(z.enum(obstacleKinds), count),
  consumers: z.array(makeShape<ConsumerShare>()({ name: text, targets: count })),
  otherConsumers: count,
});

const estimate = makeShape<Estimate>()({
  seconds: count,
  limitedBy: text,
  vaults: z.array(z.strictObject({ ...share, perTenSeconds: z.number() })),
  servers: z.array(makeShape<Share>()(share)),
});

export const breachRecord = makeShape<Breach>()({
  schema: z.literal(recordSchema),
  id: text,
  at: instant,
  by: text,
  reason: text,
  ticket: maybe(text),
  selection,
  state: z.enum(breachStates),
  expiresAt: instant,
  fingerprint: text,
  counts,
  waits: maybe(makeShape<Waits>()({ targets: count, why: text })),
  summary,
  estimate,
  giveUpAfter: count,
  confirmed: maybe(act),
  force: maybe(z.boolean()),
  liftFreezes: maybe(z.boolean()),
  paused: maybe(act),
  resumed: maybe(act),
  cancelled: maybe(act),
  endedAt: maybe(instant),
  nextAt: maybe(instant),
  outbox: z.array(notification),
});

export const itemRecord = makeShape<BreachItem>()({
  schema: z.literal(recordSchema),
  breachId: text,
  targetId: text,
  place: count,
  why: text,
  fingerprint: text,
  type: text,
  server: text,
  accounts: z.array(text),
  hasGap: z.boolean(),
  keepsOldPassword: z.boolean(),
  consumers: z.array(text),
  obstacles: z.array(makeShape<Obstacle>()({ kind: z.enum(obstacleKinds), why: text })),
  state: z.enum(itemStates),
  begunAt: maybe(instant),
  rotationId: maybe(text),
  waitsFor: maybe(text),
  endedAt: maybe(instant),
  rotatedAt: maybe(instant),
  version: maybe(version),
  oldPasswordWorks: maybe(z.boolean()),
  failure: maybe(failure),
  outcome: maybe(text),
  nextTry: maybe(instant),
});

const nestedInBreach: Record<Nested<Breach>, true> = {
  selection: true,
  counts: true,
  waits: true,
  summary: true,
  estimate: true,
  confirmed: true,
  paused: true,
  resumed: true,
  cancelled: true,
  outbox: true,
};

const nestedInItem: Record<Nested<BreachItem>, true> = {
  accounts: true,
  consumers: true,
  obstacles: true,
  version: true,
  failure: true,
};

/** Texts are shortened where they are made, so a column is never too long. */
const rest = { steps: {}, reductions: {} };

export const breachColumns = codec<Breach>(
  { what: "breach", id: "id", nested: nestedInBreach, ...rest },
  breachRecord,
);

export const itemColumns = codec<BreachItem>(
  { what: "breach target", id: "targetId", nested: nestedInItem, ...rest },
  itemRecord,
);

/** The breaches. One that cannot be read keeps its place and says why. */
export function readBreaches(rows: readonly StoredRow[]): BreachRow[] {
  return rows.map(([id, columns]) => {
    const read = readEach(breachColumns, columns);
    return "record" in read ? read.record : { id, state: "unreadable", why: read.error.message };
  });
}
