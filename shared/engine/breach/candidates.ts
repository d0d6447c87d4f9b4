import type { Candidate } from "../../core/breach/candidate.ts";
import type { Target } from "../../core/target.ts";
import { freezeTargets } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";

type CandidatePorts = Pick<Ports, "journal" | "freezes" | "rotator">;

/** Every configured target with its record. Reads the whole journal. */
export async function readCandidates(
  ports: CandidatePorts,
  configured: readonly Target[],
): Promise<readonly Candidate[]> {
  const targets = await freezeTargets(ports, configured);
  const listing = await ports.journal.targets();
  const records = new Map(listing.records.map((one) => [one.targetId, one]));
  const unreadable = new Map(listing.unreadable.map(({ id, why }) => [id, why]));
  const admins = countAdmins(configured);
  return targets.map((target): Candidate => {
    const { host, port, members } = ports.rotator(target.type).endpoint(target.options);
    const record = records.get(target.id);
    const why = unreadable.get(target.id);
    const { vault, name } = target.publish;
    return {
      target,
      ...(record && { record }),
      ...(why !== undefined && { unreadable: why }),
      host,
      server: `${host}:${port}`,
      ...(members && { members }),
      adminOf: admins.get(`${vault}/${name}`) ?? 0,
    };
  });
}

/** How many targets each secret changes the passwords of. */
function countAdmins(targets: readonly Target[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { authority } of targets) {
    if (authority.as !== "admin") continue;
    const key = `${authority.secret.vault}/${authority.secret.name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
