/**
 * Loaded before a program, moves its clock TEST_CLOCK_AHEAD_MS ahead. Timers and deadlines, which do not use the clock, are not
 * affected.
 */
const ahead = Number(process.env["TEST_CLOCK_AHEAD_MS"] ?? "0");
const { now } = Date;

globalThis.Date = new Proxy(Date, {
  construct: (target, given: unknown[], made) =>
    Reflect.construct(target, given.length === 0 ? [now() + ahead] : given, made) as object,
  get: (target, name, receiver) =>
    name === "now" ? () => now() + ahead : (Reflect.get(target, name, receiver) as unknown),
});
