import { parsePayload } from "../../../shared/core/payload/payload.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { minute, plus } from "../../../shared/core/time.ts";
import { expose } from "../../../shared/engine/inbox/expose.ts";
import { importSecret } from "../../../shared/engine/inbox/import.ts";
import { pauseTarget, resumeTarget } from "../../../shared/engine/inbox/pause.ts";
import { requestRotation } from "../../../shared/engine/inbox/request-rotation.ts";
import { requestUndo } from "../../../shared/engine/inbox/undo.ts";
import { type Kind, makeWorld, open, type World } from "../world.ts";
import { leaks } from "./operations.ts";
import { type Act, calmDown, runRace } from "./races.ts";
import { engine, type Worker } from "./stops.ts";

/** A rotation that a person was promised, and the secret that it must have put in force if it succeeds. */
interface Promised {
  readonly id: string;
  readonly value?: string;
}

/**
 * Several workers, and people who import, undo, pause, resume, rotate and report exposures, all at once. Every promised rotation must
 * end, an import that succeeded must have published its value, and no undo may publish a secret that was exposed before.
 */
export async function raceOfPeople(
  kind: Kind,
  seed: number,
  worker: Worker = engine,
): Promise<readonly string[]> {
  const world = await makeWorld(kind, `people ${seed}`);
  await worker(world.ports(open), world);
  const { rotationId } = await requestRotation(world.ports(open), world.target, operator);
  await worker(world.ports(open), world);
  const promised: Promised[] = [{ id: rotationId }];
  const broken = await runRace(world, seed, worker, (random) => drawAct(world, random, promised));
  await resumeTarget(world.ports(open), world.target, { by: "the test" });
  broken.push(...(await calmDown(world, worker)));
  if (!world.publishedWorks()) broken.push("the published secret does not log in at the end");
  for (const one of promised) broken.push(...(await findBrokenPromise(world, one)));
  return broken;
}

const operator = { reason: "operator", requestedBy: "test" } as const;
const by = { requestedBy: "test" };

/** How often each act is drawn. After a report, no undo is possible for a while. */
const weights = [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 4, 5];

function drawAct(world: World, random: () => number, promised: Promised[]): Act {
  const { target } = world;
  const number = Math.floor(random() * 1e6);
  const acts: readonly Act[] = [
    async (ports) => {
      const value = `issued-elsewhere-${number}`;
      const input = { ...by, value: new Secret(value), mayApply: true };
      const result = await importSecret(ports, target, input);
      if ("rotationId" in result) promised.push({ id: result.rotationId, value });
    },
    async (ports) => {
      const result = await requestUndo(ports, target, by);
      if ("rotationId" in result) promised.push({ id: result.rotationId });
    },
    async (ports) => {
      promised.push({ id: (await requestRotation(ports, target, operator)).rotationId });
    },
    async (ports) => {
      const until = plus(world.now(), (60 + (number % 20)) * minute);
      await pauseTarget(ports, target, { by: "test", reason: "a race", until });
    },
    (ports) => resumeTarget(ports, target, { by: "test" }),
    (ports) => expose(ports, target, { by: "test", kind: "exposure" }),
  ];
  const chosen = acts[weights[Math.floor(random() * weights.length)] ?? 0];
  return chosen ?? (() => Promise.resolve());
}

async function findBrokenPromise(world: World, { id, value }: Promised): Promise<string[]> {
  const run = await world.journal.run("app", id);
  if (run?.state !== "done" && run?.state !== "failed") {
    return [`rotation ${id} (${run?.reason ?? ""}) ended as ${run?.state ?? "nothing"}`];
  }
  if (value === undefined) return [];
  const isPublished = world.vault
    .versions("app-db")
    .some((stored) => parsePayload(stored.value, world.kind.accounts)?.secret.reveal() === value);
  const lost =
    run.state === "done" && !isPublished ? [`import ${id} published something else`] : [];
  return [...lost, ...(await leaks(world, value))];
}
