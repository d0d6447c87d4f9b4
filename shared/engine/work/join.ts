import { toRunRecord } from "../../core/lifecycle/progress.ts";
import { joinRequest } from "../../core/lifecycle/request.ts";
import type { TargetSession } from "../session.ts";

/** Lets the open rotation answer a request that came while it was under way, waiting, or blocked. */
export async function join(session: TargetSession): Promise<void> {
  const joined = joinRequest(session.record(), session.now());
  const { rotation } = joined;
  const runs = rotation
    ? [toRunRecord(rotation, { record: joined, state: "running", now: session.now() })]
    : [];
  await session.commit(joined, runs);
}
