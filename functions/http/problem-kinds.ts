/**
 * Every kind of problem that the API answers with. The kind is part of `type`, which programs may compare; titles and details are for
 * people. A kind never changes its meaning or its status.
 */
export const problemKinds = {
  "invalid-request": { status: 400, title: "Invalid request" },
  "target-not-found": { status: 404, title: "Target not found" },
  "rotation-not-found": { status: 404, title: "Rotation not found" },
  "freeze-not-found": { status: 404, title: "Freeze not found" },
  busy: { status: 409, title: "Busy" },
  "body-too-large": { status: 413, title: "Body too large" },
  "unsupported-content-type": { status: 415, title: "Unsupported content type" },
  "idempotency-key-reused": { status: 422, title: "Idempotency-Key reused" },
  "invalid-configuration": { status: 422, title: "Invalid configuration" },
  "configuration-too-costly": { status: 422, title: "Configuration too costly to check" },
  "too-many-plans": { status: 503, title: "Too many plans" },
  "record-unreadable": { status: 503, title: "Record unreadable" },
  "journal-unavailable": { status: 503, title: "Journal unavailable" },
  down: { status: 503, title: "Down" },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemKind = keyof typeof problemKinds;

/** The `type` of a problem (RFC 9457). It identifies the kind, and is not the address of a page. */
export function problemType(kind: ProblemKind): string {
  return `urn:problem-type:keyturn:${kind}`;
}
