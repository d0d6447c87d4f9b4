import { afterAll, describe } from "vitest";
import { mintingClauses } from "./minting-clauses.ts";
import type { MintingSubject } from "./minting-fixture.ts";
import { type MintingSteps, mintingSteps } from "./minting-steps.ts";
import type { RotatorReport } from "./report.ts";
import { rotatorClauses } from "./rotator-clauses.ts";
import type { Subject } from "./rotator-fixture.ts";
import { type RotatorSteps, rotatorSteps } from "./rotator-steps.ts";
import { testClauses } from "./run-clauses.ts";

/**
 * One suite for every rotator: with `mints`, the clauses for systems that create their secrets, and otherwise those for systems whose
 * secrets Keyturn chooses. It checks results from outside, with the plain client. `onReport` gets a report at the end: which clauses of the
 * contract were tried, passed, or did not apply.
 */
export function testRotator<Options>(
  name: string,
  subject: Subject<Options> | MintingSubject<Options>,
  { onReport }: { readonly onReport?: (report: RotatorReport) => void } = {},
): void {
  describe(`the rotator ${name}`, () => {
    const read =
      "mints" in subject
        ? testClauses<MintingSteps<Options>, MintingSubject<Options>>(
            mintingClauses,
            mintingSteps(subject),
            subject,
          )
        : testClauses<RotatorSteps<Options>, Subject<Options>>(
            rotatorClauses,
            rotatorSteps(subject),
            subject,
          );
    afterAll(() => {
      onReport?.({ rotator: name, clauses: read() });
    });
  });
}
