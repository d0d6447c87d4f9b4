import { defineConfig } from "vitest/config";
import ClosingLineReporter from "./test/closing-line.ts";

/** Need PostgreSQL, Azurite or child processes, or take their time; all other tests need nothing but Node. */
const services = [
  "test/{ci,local,e2e,services}/**/*.test.ts",
  "test/contract/**/*.services.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["default", new ClosingLineReporter()],
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: services,
          restoreMocks: true,
          // Only for what hangs: a slow machine must not fail a test.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Left alone, the runner would leave a core idle.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "services",
          include: services,
          restoreMocks: true,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file starts servers of its own, which need a core more than a third file does.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
