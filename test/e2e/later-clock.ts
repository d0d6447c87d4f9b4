/**
 * Loaded before a program, lets it live TEST_CLOCK_AHEAD_MS in the future: as if so long had passed until it was
 * started. What measures time without the clock, as timers and deadlines do, goes on as ever.
 */
const ahead = Number(process.env["TEST_CLOCK_AHEAD_MS"] ?? "0");
const { now } = Date;

globalThis.Date = new Proxy(Date, {
  construct: (target, given: unknown[], made) =>
    Reflect.construct(target, given.length === 0 ? [now() + ahead] : given, made) as object,
  get: (target, name, receiver) =>
    name === "now" ? () => now() + ahead : (Reflect.get(target, name, receiver) as unknown),
});
