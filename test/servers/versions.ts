import type { OwnSystem } from "./server.ts";

/** The versions that README.md names, oldest first. The servers that tests start have these, or newer ones. */
export const documentedVersions = {
  postgresql: ["18.4"],
  mongodb: ["6.0.5"],
  mysql: ["9.7"],
  mariadb: ["10.11", "11.8"],
  redis: ["7.0", "8.0"],
  valkey: ["9.1"],
} as const satisfies Record<OwnSystem, readonly string[]>;

/** Whether the version is a documented one, or newer than all of them. */
export function isDocumented(system: OwnSystem, version: string): boolean {
  const all = documentedVersions[system];
  const isNewer = all.every((one) => compare(version, one) > 0);
  return isNewer || all.some((one) => `${version}.`.startsWith(`${one}.`));
}

const compare = (one: string, other: string): number =>
  one.localeCompare(other, "en", { numeric: true });
