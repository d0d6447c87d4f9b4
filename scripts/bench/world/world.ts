import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startAzurite } from "../../../local/azurite.ts";
import { makeConfiguration, type ServerAddress } from "./bench-configuration.ts";
import { type BenchVault, startVault } from "./bench-vault.ts";
import { type Database, startDatabase } from "./database.ts";
import { awaitEach, type Instances, type Program, startInstances } from "./instances.ts";
import { openApp, type Places } from "./open-app.ts";

/** Real servers and emulators, each in a process of its own, and adopted targets. All on 127.0.0.1. */
export interface World {
  readonly ids: readonly string[];
  readonly database: Database;
  readonly vault: BenchVault;
  /** Starts instances of the app in one process, which ends with the world. Default: one instance that respects the limits of vaults. */
  startInstances(count?: number, isPaced?: boolean, program?: Program): Instances;
  /** Requests a rotation of each target, in this order: writes to the journal, and sends a message. */
  request(ids: readonly string[]): Promise<void>;
  /** Moves targets to another server, for instances that are started later. */
  move(ids: readonly string[], to: ServerAddress): Promise<void>;
  /** Returns the targets of a sample whose published password does not log in with the plain client. */
  refused(sample: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

const adminSecret = "postgresql-admin";

/** Parallel calls while a measurement is prepared. */
const together = 16;

/** The functions that end open or starting worlds. */
const open = new Set<() => Promise<void>>();

/** Ends every world, even one that is starting, when this process must stop. */
export async function closeWorlds(): Promise<void> {
  await Promise.all([...open].map((close) => close()));
}

/** Starts everything, and lets the app adopt `count` single accounts that an admin changes. */
export async function startWorld(count: number): Promise<World> {
  const started: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of started.splice(0).reverse()) await end();
    open.delete(close);
  };
  open.add(close);
  const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    started.push(() => part.close());
    return part;
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
    started.push(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
    const database = keep(await startDatabase(folder));
    await mkdir(join(folder, "azurite"));
    const azurite = keep(await startAzurite({ directory: join(folder, "azurite") }));
    const vault = keep(await startVault(join(folder, "vault.jsonl")));
    const ids = Array.from({ length: count }, (_, index) => `app${index}`);
    await seed(ids, database, vault);

    const config = join(folder, "keyturn.yaml");
    const server = { port: database.port, caFile: database.caFile };
    const moved = new Map<string, ServerAddress>();
    const configure = () =>
      writeFile(
        config,
        JSON.stringify(
          makeConfiguration({
            ...{ ids, vaultUrl: vault.url, adminSecret },
            serverOf: (id) => moved.get(id) ?? server,
          }),
        ),
      );
    await configure();
    const { connectionString } = azurite;
    const places = { config, connectionString, table: "Bench", queue: "bench-work", isPaced: true };
    await adopt(places, ids);
    return {
      ...{ ids, database, vault, close },
      startInstances: (some = 1, isPaced = true, program) =>
        keep(startInstances({ ...places, isPaced }, some, program)),
      request: (some) => request(places, some),
      async move(some, to) {
        for (const id of some) moved.set(id, to);
        await configure();
      },
      refused: (sample) => refused(ids, sample, { database, vault }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes accounts with passwords, and the secrets that existed before Keyturn. */
async function seed(
  ids: readonly string[],
  database: Database,
  { secrets }: BenchVault,
): Promise<void> {
  // The client authenticates with its first request, which must end before others start.
  await secrets.setSecret(adminSecret, JSON.stringify(database.admin));
  const logins = await database.makeAccounts(ids);
  await each(logins, (login) => secrets.setSecret(login.username, JSON.stringify(login)));
}

async function adopt(places: Places, ids: readonly string[]): Promise<void> {
  const instances = startInstances(places, 1);
  try {
    await instances.pull();
    for (let left = ids; left.length > 0;) {
      await instances.sweep();
      const adopted = await awaitEach({ instances, ids: left, type: "adopted", limitMs: 55_000 });
      if (adopted.size === 0) throw new Error("Targets of the bench are not adopted.");
      left = left.filter((id) => !adopted.has(id));
    }
    await instances.rest();
  } finally {
    await instances.close();
  }
}

async function request(places: Places, ids: readonly string[]): Promise<void> {
  const { app } = await openApp(places, () => undefined);
  await each(ids, (id) => app.request(id, { reason: "operator", requestedBy: "bench" }));
}

const loginShape = z.object({ username: z.string(), password: z.string() });

async function refused(
  ids: readonly string[],
  sample: number,
  { database, vault }: Pick<World, "database" | "vault">,
): Promise<readonly string[]> {
  const distance = Math.max(1, Math.floor(ids.length / sample));
  const bad: string[] = [];
  for (const id of ids.filter((_, index) => index % distance === 0)) {
    const { value = "" } = await vault.secrets.getSecret(id);
    if (!(await database.logsIn(loginShape.parse(JSON.parse(value))))) bad.push(id);
  }
  return bad;
}

async function each<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>) {
  const left = items.values();
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (const item of left) await act(item);
    }),
  );
}
