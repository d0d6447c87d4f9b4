import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { findCache } from "./cache/cache.ts";
import { noteUse } from "./report/uses.ts";
import { type OwnSystem, ownSystems, ownVariable, type TestServer } from "./server.ts";

type Address = Omit<TestServer, "version" | "system" | "stop">;

const valueFor = (system: OwnSystem): string => process.env[ownVariable(system)] ?? "";

/** Whether the environment names a server of this system. */
export const isOwn = (system: OwnSystem): boolean => valueFor(system) !== "";

/** Where the environment names the server of a system, all its kinds would be that server: keeps the first of them. */
export const withoutRepeats = <Kind extends { readonly system: OwnSystem }>(
  kinds: readonly Kind[],
): readonly Kind[] =>
  kinds.filter(
    ({ system }, index) =>
      !isOwn(system) || kinds.findIndex((kind) => kind.system === system) === index,
  );

/** Returns the server that the environment names for this system, or undefined. `readVersion` contacts it. */
export async function findOwnServer(
  system: OwnSystem,
  readVersion: (server: Address) => Promise<string>,
): Promise<TestServer | undefined> {
  if (!isOwn(system)) return undefined;
  const variable = ownVariable(system);
  const address = await parseAddress(valueFor(system), variable, ownSystems[system]);
  const version = await readVersion(address).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The server in ${variable} cannot be used: ${reason}`, { cause: error });
  });
  noteUse(system, "own", version);
  return { ...address, system, version, stop: () => Promise.resolve() };
}

/** `value`: scheme://account:password@host:port/?ca=FILE, percent-encoded. Errors do not show it. */
async function parseAddress(
  value: string,
  variable: string,
  defaultPort: number,
): Promise<Address> {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.hostname === "" || url.username === "" || url.password === "")
    throw new Error(`${variable} must have the form scheme://account:password@host:port/?ca=FILE.`);
  const given = url.searchParams.get("ca");
  const caFile = given ?? join(await findCache(), "root-certificates.pem");
  // A server with a public certificate needs no file of its own.
  if (given === null) await writeFile(caFile, rootCertificates.join("\n"));
  return {
    host: url.hostname,
    port: url.port === "" ? defaultPort : Number(url.port),
    ca: await readFile(caFile, "utf8"),
    caFile,
    admin: {
      account: decodeURIComponent(url.username),
      secret: new Secret(decodeURIComponent(url.password)),
    },
  };
}
