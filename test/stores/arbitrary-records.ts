import fc from "fast-check";
import type { TargetRecord } from "../../shared/core/record/record.ts";
import { fullTarget } from "./full-records.ts";

/** Texts with a meaning for a store, its query language or the format of a transaction. */
const awkward = [
  "",
  " ",
  "'",
  "''; drop",
  '"quoted"',
  "back\\slash",
  "{brace}",
  "line\r\n\r\nbreak",
  "--changeset_1\r\nPUT http://x/y HTTP/1.1",
  "HTTP/1.1 412",
  "RowKey='x'",
  "ETag: x",
  "true",
  "1",
  "null",
  "2026-03-01T10:00:00.000Z",
  "<xml/>&amp;",
  "%27%00",
  "\u0001\u007f",
  "Grüße, 世界 👩‍👩‍👧",
  "x".repeat(6_000),
];

const text = fc
  .oneof(
    fc.constantFrom(...awkward),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 50 }),
  )
  .filter((some) => !/[\u2028\u2029]/.test(some));

/** Characters that are replaced in a plain column and kept in a nested one. */
const nestedText = fc.oneof(text, fc.constantFrom("\u2028", "\u2029{", "a\ud83d", "\u0000"));

/** A store returns plain objects, so only plain objects can be equal to them. */
const plain = { noNullPrototype: true };

/** Records whose strings are awkward; about half of the optional fields are absent. */
export function arbitraryTarget(targetId: string): fc.Arbitrary<TargetRecord> {
  const full = fullTarget(targetId);
  const rotation = fc
    .record({ account: nestedText, requestedBy: nestedText }, plain)
    .map((texts) => ({
      ...full.rotation,
      ...texts,
    }));
  const data = fc.record({ account: nestedText, attempts: fc.nat(), first: fc.boolean() }, plain);
  return fc.record(
    {
      schema: fc.constant(full.schema),
      targetId: fc.constant(targetId),
      health: fc.constantFrom("new", "healthy", "failing", "blocked"),
      slots: fc.array(fc.record({ account: nestedText }, plain), { maxLength: 2 }),
      active: text,
      published: fc.record({ vault: nestedText, name: nestedText, version: nestedText }, plain),
      adoptedAt: fc.constant(full.adoptedAt),
      lastFailure: nestedText.map((message) => ({ ...full.lastFailure, message })),
      failures: fc.nat(),
      rotation,
      dueReason: text,
      policyFingerprint: text,
      outbox: fc.array(
        data.map((some) => ({ id: "1", type: "alarm", targetId, at: full.nextDue, data: some })),
        { maxLength: 1 },
      ),
      claim: fc.record({ fence: fc.nat(), owner: nestedText }, plain),
    },
    {
      ...plain,
      requiredKeys: ["schema", "targetId", "health", "slots", "failures", "outbox", "claim"],
    },
  );
}
