import type { EnvironmentFile } from "./environment-file.ts";
import type { Paint } from "./lines.ts";
import { seeds } from "./seeds.ts";

/** Where everything is. */
export function headerOf(places: EnvironmentFile, file: string, paint: Paint): string {
  const { functions, keyVault, databases, events, logs } = places;
  const api = `${functions.url}/api`;
  const [database] = databases;
  const server = database ? `${database.host}:${database.port}` : "";
  const rows = [
    ["Functions app", api, `log: ${logs.functions}`],
    ["Key Vault", keyVault.url, "an emulator that the official client takes for the real one"],
    ["PostgreSQL", server, `a real one, TLS verified by ${database?.caFile ?? ""}`],
    ["Events", events.endpoint, "what Keyturn tells Event Grid"],
    ["Everything else", file, "for tools: addresses, keys, log-ins"],
  ] as const;
  const width = Math.max(...rows.map(([, where]) => where.length));
  return [
    "",
    `${paint("bold", "Keyturn")} runs, all of it on this machine.`,
    "",
    ...rows.map(
      ([what, where, about]) =>
        `  ${what.padEnd(17)}${paint("cyan", where.padEnd(width))}  ${paint("dim", about)}`,
    ),
    "",
    "What is rotated:",
    ...seeds.map(({ id, about }) => `  ${paint("bold", id.padEnd(17))}${about}`),
    "",
  ].join("\n");
}

/** Commands to paste into another terminal. */
export function suggestionsOf({ functions }: EnvironmentFile, paint: Paint): string {
  const key = `-H 'x-functions-key: ${functions.key}'`;
  const targets = `${functions.url}/api/targets`;
  const tries = [
    ["rotate orders now", `curl -sX POST ${key} ${targets}/orders/rotations`],
    ["follow it", `curl -s ${key} '${targets}/orders/rotations?limit=1'`],
    ["see every target", `curl -s ${key} ${targets}`],
  ] as const;
  return [
    "Try in another terminal:",
    ...tries.flatMap(([what, command]) => [`  ${paint("dim", `# ${what}`)}`, `  ${command}`]),
    "",
    "Ctrl-C stops everything. The next start goes on where this one ended.",
    "",
  ].join("\n");
}
