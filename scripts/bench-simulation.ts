/** Measures how long the simulation of a year with 10,000 targets takes. The budget is ten seconds on one core. */
import type { Policy } from "../shared/core/policy/policy.ts";
import { defaultPasswordRules } from "../shared/core/secrets/password.ts";
import { defaultLimits } from "../shared/core/simulation/limits.ts";
import type { SimulatedTarget } from "../shared/core/simulation/model.ts";
import { simulate } from "../shared/core/simulation/simulate.ts";
import { day, hour, minute, plus } from "../shared/core/time.ts";

const from = "2026-01-01T00:00:00.000Z";
const to = plus(from, 365 * day);
const budget = 10;
const count = 10_000;

const common = {
  password: defaultPasswordRules,
  retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * hour },
};

const policies: readonly Policy[] = [
  {
    ...common,
    name: "quarterly-weekends",
    every: 90 * day,
    headStart: 7 * day,
    days: ["sat", "sun"],
    between: [{ from: "22:00", to: "04:00" }],
    timeZone: "Europe/Vienna",
    spread: 2 * hour,
    freeze: [{ from: "2026-12-20", to: "2027-01-06", reason: "year end", lift: ["exposure"] }],
  },
  {
    ...common,
    name: "monthly-appointments",
    every: 30 * day,
    headStart: 2 * day,
    at: ["02:30", "14:30"],
    timeZone: "America/New_York",
    spread: 30 * minute,
  },
  {
    ...common,
    name: "weekly-cron",
    cron: "30 2 * * 0",
    timeZone: "Australia/Lord_Howe",
    spread: hour,
  },
  {
    ...common,
    name: "daily-nights",
    every: day,
    headStart: 2 * hour,
    between: [{ from: "22:00", to: "05:00" }],
    timeZone: "America/St_Johns",
    spread: 3 * hour,
  },
];

const targets = Array.from({ length: count }, (_, index): SimulatedTarget => {
  const policy = policies[index % policies.length];
  if (!policy) throw new RangeError("there are no policies");
  return {
    id: `target-${index}`,
    policy,
    facts: { changedAt: plus(from, -((index * 7919) % 90) * day) },
    vault: `vault-${index % 7}`,
    server: `server-${index % 400}`,
  };
});

const started = process.cpuUsage();
const { rotations, collisions } = simulate(targets, { from, to, limits: defaultLimits });
const used = process.cpuUsage(started);
const seconds = (used.user + used.system) / 1e6;
const each = ((seconds * 1e6) / rotations.length).toFixed(1);
console.log(
  `${count} targets, one year: ${rotations.length} rotations, ${collisions.length} collisions, ${seconds.toFixed(2)} s of CPU, ${each} us each`,
);
console.log(`budget ${budget} s: used ${((100 * seconds) / budget).toFixed(0)} %`);
if (seconds > budget) process.exitCode = 1;
