/**
 * Loaded before a program, sets its clock TEST_CLOCK_AHEAD_MS ahead. What measures time without the clock, such as
 * timers and deadlines, is not affected.
 */
const ahead = Number(process.env["TEST_CLOCK_AHEAD_MS"] ?? "0");
const { now } = Date;

globalThis.Date = new Proxy(Date, {
  construct: (target, given: unknown[], made) =>
    Reflect.construct(target, given.length === 0 ? [now() + ahead] : given, made) as object,
  get: (target, name, receiver) =>
    name === "now" ? () => now() + ahead : (Reflect.get(target, name, receiver) as unknown),
});
