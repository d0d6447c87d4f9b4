import type { RotationRequest, TargetRecord } from "./record.ts";

/** The request whose rotation starts next: an import or an undo goes before another request. */
export function findQueued({
  given,
  request,
}: Pick<TargetRecord, "given" | "request">): RotationRequest | undefined {
  return given ?? request;
}
