import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import ClosingLineReporter from "./test/closing-line.ts";
import ServersReporter from "./test/servers/report/reporter.ts";

/** Need PostgreSQL, Azurite or child processes; all other tests need nothing but Node. */
const services = [
  "test/{ci,local,e2e,services}/**/*.test.ts",
  "test/contract/**/*.services.test.ts",
  // Rotators of the examples, and those of the operator in a folder that the repository does not have.
  "{examples/rotators,rotators}/**/*.test.ts",
];

/**
 * Take seconds each: they try very many cases, or wait as the official clients do. `npm run check` leaves them to
 * `npm test`, or it would take more than a minute.
 */
const long = [
  "test/config/{bounds,edited-config,nonsense,form/checked-form-any,schema/schema}.test.ts",
  "test/contract/{rotators/azure-{admin,key,sql,sql-server},vaults/vault-key-vault}.test.ts",
  "test/core/secrets/redact.test.ts",
  "test/core/policy/{checks/check-lateness-advice,windows/openings-by-minute}.test.ts",
  "test/engine/breach/{crashes,thousand}.test.ts",
  "test/engine/proofs/*.test.ts",
  "test/engine/stories/{failures/bounds,schedules/edit-race}.test.ts",
  "test/rotators/{azure-admin,azure-sql-{lost-line,server,server-login},mongodb,mongodb-examine}.test.ts",
  "test/stores/lives.test.ts",
  "test/vaults/key-vault-foreign.test.ts",
];

/** Replace modules, settings or the clock of a whole process, so nothing else may run in it. */
const apart = globSync("test/**/*.test.ts").filter((file) =>
  /\bvi\.(mock|doMock|resetModules|stubEnv|stubGlobal|useFakeTimers)\(/.test(
    readFileSync(file, "utf8"),
  ),
);

/** What every test file runs first. */
const setupFiles = ["test/servers/report/begin-file.ts", "test/seed.ts"];

/** All of these run at the same time. */
const needNode = {
  setupFiles,
  restoreMocks: true,
  // Only for what hangs: a slow machine must not fail a test.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Left alone, the runner would leave a core idle.
  maxWorkers: 2,
  sequence: { groupOrder: 0 },
};

export default defineConfig({
  test: {
    // The first prints its table before the summary of the second.
    reporters: [new ServersReporter(), "default", new ClosingLineReporter()],
    projects: [
      {
        test: {
          ...needNode,
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [...services, ...long, ...apart],
          // Files share the modules that they import, which takes a third of the time off.
          isolate: false,
        },
      },
      {
        test: {
          ...needNode,
          name: "fast-apart",
          include: apart,
          exclude: [...services, ...long],
        },
      },
      { test: { ...needNode, name: "long", include: long } },
      {
        test: {
          name: "services",
          include: services,
          setupFiles,
          restoreMocks: true,
          testTimeout: 120_000,
          // The first start of a server on a machine downloads it.
          hookTimeout: 300_000,
          // Each file starts servers of its own, and waits for them for a third of its time.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
