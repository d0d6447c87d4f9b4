import type { AppState, KnownTarget } from "../../shared/app.ts";
import type { Client } from "../api/client.ts";
import type { Freeze, TargetEntry } from "../api/endpoints.ts";

/** Reads what a plan of files takes into account of a running app. */
export async function readAppState(client: Client): Promise<AppState> {
  const { targets } = await client.call("api-targets", {});
  const { freezes } = await client.call("api-freezes", {});
  return {
    targets: new Map(targets.map((target) => [target.id, toKnown(target)])),
    freezes: freezes.filter(({ state }) => state !== "ended").map(toEffect),
  };
}

function toKnown(target: TargetEntry): KnownTarget {
  const { adoptedAt, changedAt, exposure, lastUsedAt, secretEndsAt: endsAt, pause } = target;
  const facts = adoptedAt !== undefined && {
    ...(changedAt !== undefined && { adoptedAt, changedAt }),
    ...(exposure && {
      exposedAt: exposure.at,
      exposureBy: exposure.by,
      exposureKind: exposure.kind,
    }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(endsAt !== undefined && { endsAt }),
  };
  return { ...(facts && { facts }), ...(pause && { pause: toPause(pause) }) };
}

function toPause({ ticket, ...pause }: NonNullable<TargetEntry["pause"]>) {
  return { ...pause, ...(ticket !== undefined && { ticket }) };
}

function toEffect({ by, reason, from, until, lift, selection }: Freeze) {
  const { tags = [], ...others } = selection;
  const pairs = tags.map(([name = "", value = ""]) => [name, value] as const);
  return { by, reason, from, until, lift, selection: { ...others, tags: pairs } };
}
