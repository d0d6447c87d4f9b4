import type { GivenSecret } from "../../../shared/core/record/given.ts";
import type { Rotation, TargetRecord } from "../../../shared/core/record/record.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { workOn } from "../../../shared/engine/worker.ts";
import { forgetting } from "./broken.ts";
import type { Worker } from "./stops.ts";

// Engines that each omit one rule about imports and undos. They show that the tests of these rules work.

/** The record whose open rotation has these fields of its given secret, if it applies to the rotation. */
const withGiven =
  (fields: Partial<GivenSecret>, applies: (rotation: Rotation) => boolean = () => true) =>
  (record: TargetRecord): TargetRecord => {
    const { rotation } = record;
    if (!rotation?.given || !applies(rotation)) return record;
    return { ...record, rotation: { ...rotation, given: { ...rotation.given, ...fields } } };
  };

/** Sets an imported secret without a try whether the target has the secret already. */
export const setsWithoutAsking = forgetting(withGiven({ wasRefused: true }));

/** Gives an import up after as many failures as another rotation. */
export const givesImportsUp = forgetting(
  withGiven({ wasRefused: true }, ({ failures }) => failures >= 2),
);

/** Treats the accounts of a pair as if each were a target of its own. */
export const ignoresThePair: Worker = (ports, world) => {
  const changes = forgetting(withGiven({ mayApply: true }));
  const slots = world.target.slots.filter(({ account }) => account === "app_a");
  return changes(ports, { ...world, target: { ...world.target, slots } });
};

/** Does not remember which versions somebody has seen. */
export const forgetsExposedVersions = forgetting(({ exposedVersions: _, ...record }) => record);

/** Does not remember an undo that waits. */
export const forgetsWaitingUndos = forgetting(({ given: _, ...record }) => record);

/** Uses the previous version of a secret itself as pending, instead of a copy of it. */
export const makesNoCopy: Worker = (ports, world) => {
  const vault: Ports["vault"] = (name) => {
    const real = ports.vault(name);
    if (!real) return undefined;
    const write: typeof real.write = async (secret, content, signal) => {
      const versions = secret.startsWith("keyturn-pending-") ? world.vault.versions("app-db") : [];
      const same = versions.find(
        ({ value }) => passwordIn(value.reveal()) === passwordIn(content.value.reveal()),
      );
      return same ? same.ref : real.write(secret, content, signal);
    };
    return { ...real, write };
  };
  return workOn({ ...ports, vault }, world.target);
};

const passwordIn = (text: string) => (JSON.parse(text) as { password?: string }).password;
