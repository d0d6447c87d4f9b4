import type { Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";

/** The source with other targets. What is not a mapping stays as it is. */
export function mapTargets(
  source: Source,
  change: (target: Readonly<Record<string, unknown>>, id: string) => unknown,
): Source {
  const targets = source.value?.["targets"];
  if (!isRecord(targets)) return source;
  const changed = Object.entries(targets).map(([id, target]) => [
    id,
    isRecord(target) ? change(target, id) : target,
  ]);
  return { ...source, value: { ...source.value, targets: Object.fromEntries(changed) as unknown } };
}
