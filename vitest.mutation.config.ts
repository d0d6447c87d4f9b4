import { defineConfig } from "vitest/config";

/** The tests that mutants of the rules must not survive. */
export default defineConfig({
  test: {
    include: ["test/core/**/*.test.ts"],
    setupFiles: ["test/core/fixed-seed.ts"],
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
