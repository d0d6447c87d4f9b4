/** Runs before each test file. */
import fc from "fast-check";

// CI judges a change, so it draws the same cases in every run. Other runs draw new ones.
const { CI, KEYTURN_TEST_SEED: given = CI ? "20260101" : "" } = process.env;
if (given !== "") fc.configureGlobal({ seed: Number(given) });
