// The rules must not depend on the zone of the machine they are tried on.
process.env.TZ = "Pacific/Chatham";

/** Mutation testing of all code that decides about policies: `npm run mutation`. */
export default {
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  mutate: [
    "shared/core/{record/due,lifecycle/{exposure,permit,retry,use},secrets/password}.ts",
    "shared/core/{policy,simulation}/**/*.ts",
  ],
  // Everything else stays out of the copy that is mutated.
  ignorePatterns: ["*", "!shared/**", "!test/**", "!package.json", "!vitest.mutation.config.ts"],
  coverageAnalysis: "perTest",
  // Mutants that also run while a test file loads would otherwise be tried on every test there is, for hours. Left out
  // are only those that run at no other time, such as in tables of words; the report counts them as ignored.
  ignoreStatic: true,
  timeoutMS: 6000,
  thresholds: { high: 95, low: 90, break: 90 },
  reporters: ["clear-text", "html", "json", "progress-append-only"],
  clearTextReporter: { allowEmojis: false, reportTests: false },
  htmlReporter: { fileName: ".cache/mutation/report.html" },
  jsonReporter: { fileName: ".cache/mutation/report.json" },
  tempDirName: ".cache/mutation/sandbox",
};
