import { expect, test } from "vitest";
import { faultsNamed } from "../soak/faults.ts";
import { formatTable, newReport, sumUp } from "../soak/report.ts";
import { runSoak } from "../soak/soak.ts";

/** Faults that end within seconds. `npm run soak` uses all faults. */
const quick = [
  "PostgreSQL killed",
  "storage stopped",
  "foreign 404 instead of the vault",
  "vault is read-only",
  "published secret deleted and recovered",
  "password changed by hand and stored",
  "account locked and unlocked",
];

test(
  "Under each quick fault, no credential is lost, no pair is refused, and every needed operator is notified",
  { timeout: 900_000 },
  async () => {
    const report = newReport();
    await runSoak({
      report,
      minutes: 15,
      rounds: quick.length,
      seed: 8,
      faults: faultsNamed(quick),
      isQuick: true,
      signal: new AbortController().signal,
      say: console.log,
    });
    console.log([...formatTable(report.rows), ...report.notes].join("\n"));
    expect(report.rows.size).toBe(quick.length + 2);
    expect(sumUp(report.rows)).toMatchObject({ lost: 0, withoutAlarm: 0, refused: 0 });
    expect(report.totals.rotations).toBeGreaterThan(quick.length);
  },
);
