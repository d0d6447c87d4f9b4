/**
 * What the author of a rotator imports in tests, as `keyturn/rotator/conformance`: the contract suite, faults, and the report. It runs under
 * vitest, and docs/adding-a-rotator.md explains it.
 */
export { type CutProxy, cutProxy } from "./faults/cut-proxy.ts";
export { type HoldProxy, holdProxy } from "./faults/hold-proxy.ts";
export { type RotatorFault, withFault } from "./faults/with-fault.ts";
export { type MintingFixture, type MintingSubject, publishedForms } from "./minting-fixture.ts";
export { type ClauseReport, formatReport, printReport, type RotatorReport } from "./report.ts";
export { testRotator } from "./rotator.suite.ts";
export {
  type Aimed,
  awkwardNames,
  awkwardSecrets,
  type Fixture,
  type Subject,
} from "./rotator-fixture.ts";
