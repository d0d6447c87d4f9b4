import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import importSort from "eslint-plugin-simple-import-sort";
import tseslint from "typescript-eslint";
import { proseInCode } from "./scripts/lint/prose-in-code.js";

/** Clock, randomness and settings are handed in, so that rules can be tested at any moment in time. */
const handedIn = {
  properties: [
    { object: "process", property: "env", message: "Settings are handed in." },
    { object: "Date", property: "now", message: "The clock is handed in." },
    { object: "Math", property: "random", message: "Randomness is handed in." },
    { object: "crypto", property: "randomUUID", message: "Ids are handed in." },
    { object: "crypto", property: "getRandomValues", message: "Randomness is handed in." },
    { object: "performance", property: "now", message: "The clock is handed in." },
  ],
  syntax: [
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: "new Date() reads the clock; the clock is handed in.",
    },
    {
      selector: "CallExpression[callee.name='Date']",
      message: "Date() reads the clock; the clock is handed in.",
    },
  ],
};

const functionLength = { max: 60, skipBlankLines: true, skipComments: true };

export default defineConfig(
  globalIgnores(["scripts/lint/plain-words.js", "dist/", "coverage/", ".keyturn/", ".cache/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.{ts,js,mjs,cjs}"],
    plugins: { "import-sort": importSort, prose: { rules: { wording: proseInCode } } },
    rules: {
      complexity: ["error", 12],
      eqeqeq: "error",
      // Node, packages, other folders, this folder: one block, so that a move changes nothing but lines of imports.
      "import-sort/imports": [
        "error",
        { groups: [["^\\u0000", "^node:", "^@?\\w", "^\\.\\.", "^\\./"]] },
      ],
      "no-duplicate-imports": "error",
      "prose/wording": "error",
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", functionLength],
      "max-params": ["error", 4],
    },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Leaving a property out of a copy by destructuring is the plain way to do it.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
    },
  },
  {
    // Output of the product goes through the stream of events, where secrets cannot slip in.
    files: ["shared/**/*.ts", "functions/**/*.ts"],
    rules: { "no-console": "error" },
  },
  {
    files: ["shared/core/**/*.ts", "shared/engine/**/*.ts"],
    rules: {
      "no-restricted-properties": ["error", ...handedIn.properties],
      "no-restricted-syntax": ["error", ...handedIn.syntax],
    },
  },
  {
    // A describe block holds a whole suite; its length says nothing.
    files: ["{conformance,test,examples,rotators}/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  {
    // The columns of a table of cases, and the generated values of a property, arrive as parameters.
    files: ["test/**/*.test.ts"],
    rules: { "max-params": "off" },
  },
  {
    // Rotators of the operator: house rules are not theirs.
    files: ["rotators/**/*.ts"],
    rules: {
      "@typescript-eslint/unbound-method": "off",
      complexity: "off",
      "import-sort/imports": "off",
      "max-lines": "off",
      "max-params": "off",
      "prose/wording": "off",
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: { console: "readonly", process: "readonly", module: "writable", URL: "readonly" },
    },
  },
);
