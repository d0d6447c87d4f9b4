import type { Rotator, SettingRotator } from "./rotator.ts";

/** The rotator, whose system lets Keyturn choose the secrets. */
export function asSetting<Options>(rotator: Rotator<Options>): SettingRotator<Options> {
  const apply = rotator.apply?.bind(rotator);
  if (!apply) throw new RangeError(`nobody can choose the secrets of ${rotator.type}`);
  return { ...rotator, apply };
}
