import { it } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import type { Subject } from "../rotator-fixture.ts";
import type { RotatorSteps } from "../rotator-steps.ts";
import { everyCall } from "./every-call.ts";

/** Why the rule was not tried, for people. */
export const noDistrusted = "the fixture has no `distrusted`";

/** The rule for a server whose certificate is not trusted: it gets no secret. */
export function testTrust<Options>(steps: RotatorSteps<Options>, subject: Subject<Options>): void {
  it("sends nothing to a server that it must not trust", async ({ skip }) => {
    const { distrusted } = steps.fixture;
    if (!distrusted) return skip(noDistrusted);
    await everyCall(steps, subject, { at: distrusted }, async (call) => {
      await steps.failsAs(TargetUnavailableError, call);
    });
  });
}
