import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { makeDocument } from "../../functions/http/document.ts";
import { type Azurite, startAzurite } from "../../local/azurite.ts";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../local/identity/endpoint.ts";
import { type KeyVaultEmulator, startKeyVaultEmulator } from "../../local/key-vault/emulator.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";
import { readBuilt } from "./built-sources.ts";
import { hostApp, type HostedApp } from "./hosted-app.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const build = (...given: string[]) =>
  run(process.execPath, [path.join(root, "scripts", "build.ts"), ...given]);

/** Types that only send HTTPS requests, so they have no driver, or have that of another type. */
const withoutDriver = new Set(["azure-key", "azure-sas-key", "entra-app", "external", "webhook"]);

const rotators = makeRotators({ getToken: () => Promise.resolve(null) }).filter(
  ({ type }) => !withoutDriver.has(type),
);

const account = "somebody";

const subscription = "00000000-0000-0000-0000-000000000001";
const inAzure = (port: number) => ({ subscription, resourceGroup: "orders", port });

/** For every rotator, a target whose server closes the connection. */
const dead: Readonly<Record<string, (port: number) => object>> = {
  postgresql: (port) => ({ options: { host: "127.0.0.1", port }, admin: "self" }),
  mongodb: (port) => ({ options: { host: "127.0.0.1", port }, admin: "self" }),
  mysql: (port) => ({ options: { host: "127.0.0.1", port }, admin: "self" }),
  redis: (port) => ({ options: { host: "127.0.0.1", port }, admin: "self" }),
  // A contained user, because the administrator below has the same name.
  "azure-sql": (port) => ({
    options: { host: "127.0.0.1", port, database: "orders", contained: true },
    admin: "self",
  }),
  // Another spelling of the host, because the next administrator has the same name.
  "azure-admin": (port) => ({
    options: { ...inAzure(port), service: "sql-server", name: "orders", host: "localhost" },
    admin: "managed-identity",
  }),
  "azure-sql-server": (port) => ({
    options: { ...inAzure(port), server: "orders", host: "127.0.0.1" },
    admin: "managed-identity",
  }),
};

let scratch: string;
let folder: string;
let printed: string;
let azurite: Azurite;
let identity: IdentityEndpoint;
let vault: KeyVaultEmulator;
let hangingUp: Server;
let source: HostedApp;
let built: HostedApp;

/** In the order in which things were started. */
const closers: (() => unknown)[] = [];
async function closing<Thing>(made: Promise<Thing>, close: (thing: Thing) => unknown) {
  const thing = await made;
  closers.push(() => close(thing));
  return thing;
}

const getPort = (server: Server) => (server.address() as AddressInfo).port;

async function writeConfig(file: string): Promise<void> {
  const targets = rotators.map(({ type }) => {
    const target = dead[type];
    if (target === undefined) throw new Error(`Add a dead target of type ${type} here.`);
    return [type, { type, ...target(getPort(hangingUp)), accounts: [account], publish: type }];
  });
  const policies = { default: { manualOnly: true } };
  const vaults = { main: { url: vault.url } };
  const all = { version: 1, vaults, policies, targets: Object.fromEntries(targets) as unknown };
  await writeFile(file, stringify(all));
}

async function seedSecrets(): Promise<void> {
  const resource = "https://vault.azure.net";
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = identity.env;
  const answer = await fetch(`${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${resource}`, {
    headers: { "x-identity-header": IDENTITY_HEADER },
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  for (const { type } of rotators) {
    const put = await fetch(`${vault.url}/secrets/${type}?api-version=2026-04-01`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ value: JSON.stringify({ username: account, password: "old" }) }),
    });
    expect(put.status).toBe(200);
  }
}

const { scripts, listSources, packagesInAll, lazyPackages } = readBuilt(root, () => folder);

const isJavaScript = (file: string) => file.endsWith(".js");

beforeAll(async () => {
  scratch = await closing(mkdtemp(path.join(tmpdir(), "keyturn-build-")), (it) =>
    rm(it, { recursive: true }),
  );
  folder = path.join(scratch, "package");
  hangingUp = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  closers.push(() => hangingUp.close());
  azurite = await closing(startAzurite({ memory: true }), (it) => it.close());
  identity = await closing(startIdentityEndpoint(), (it) => it.close());
  const acceptsToken = (token: string) => identity.accepts(token, "https://vault.azure.net");
  vault = await closing(startKeyVaultEmulator({ acceptsToken }), (it) => it.close());
  const config = path.join(scratch, "written.yaml");
  await writeConfig(config);
  await seedSecrets();
  printed = (await build("--out", folder, "--config", config)).stdout;
  await hostBoth(config);
});

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

async function hostBoth(config: string): Promise<void> {
  const settings = {
    AzureWebJobsStorage: azurite.connectionString,
    KEYTURN_QUEUE: "built-work",
    KEYTURN_SWEEP_SCHEDULE: "0 0 0 29 2 *",
    ...identity.env,
  };
  const [forSource, forBuilt] = [path.join(scratch, "source"), path.join(scratch, "built")];
  await mkdir(forSource);
  await mkdir(forBuilt);
  source = await hostApp(path.resolve(root), { ...settings, KEYTURN_CONFIG: config }, forSource);
  // Both would take messages from the same queue.
  await source.stop();
  built = await closing(hostApp(folder, settings, forBuilt), (it) => it.stop());
}

/** Both systems of SQL Server have the same. */
const drivers: Readonly<Record<string, string>> = {
  postgresql: "pg",
  mongodb: "mongodb",
  mysql: "mysql2",
  redis: "@redis/client",
  "azure-sql": "tedious",
  "azure-admin": "tedious",
  "azure-sql-server": "tedious",
};

describe("The built package, alone in a folder,", () => {
  test("registers the same functions as the sources, with the same triggers and routes", () => {
    expect(built.functions).toEqual(source.functions);
    expect(new Set(built.functions.map(({ trigger }) => trigger)).size).toBe(4);
    const health = built.functions.find(({ name }) => name === "api-health");
    expect(health).toMatchObject({ url: "/api/health", authLevel: "anonymous" });
  });

  test("loads neither the schemas of the API nor zod before the first request", async () => {
    const files = (await built.loaded()).filter(isJavaScript);
    const sources = (await Promise.all(files.map(listSources))).flat();
    expect(sources).toContain(path.join(root, "functions", "http", "serve.ts"));
    expect(sources.filter((file) => file.includes(path.join("functions", "schemas")))).toEqual([]);
    expect(await packagesInAll(files)).not.toContain("zod");
  });

  test("answers at once, without loading a driver", async () => {
    const health = await built.call("GET", "/api/health");
    expect([health.status, await health.json()]).toEqual([200, { status: "up" }]);
    const lazy = await lazyPackages();
    expect(lazy.size).toBeGreaterThanOrEqual(rotators.length);
    const loaded = await packagesInAll((await built.loaded()).filter(isJavaScript));
    expect(loaded).toContain("@azure/functions");
    // The clients of storage and Key Vault contain it, so only the command line saves it.
    const shared = "@azure/core-rest-pipeline";
    expect([...loaded].filter((name) => lazy.has(name) && name !== shared)).toEqual([]);
    // The configuration was read from its checked form.
    expect(loaded).not.toContain("yaml");
    // And they are there to be loaded.
    const there = await packagesInAll(scripts());
    for (const name of [...lazy, "yaml"]) expect(there).toContain(name);
  });

  test.each(rotators.map(({ type }) => type))(
    "contacts a server of type %s with its own driver, and records the result in the history",
    async (type) => {
      const before = await built.loaded();
      const asked = await built.call("POST", `/api/targets/${type}/rotations`);
      expect(asked.status).toBe(202);
      const history = async () => {
        const answer = await built.call("GET", `/api/targets/${type}/rotations`);
        return (await answer.json()) as {
          rotations: { failure?: { kind: string; message: string } }[];
        };
      };
      await expect
        .poll(async () => (await history()).rotations[0]?.failure, { timeout: 60_000 })
        .toMatchObject({
          kind: "target-unavailable",
          message: expect.stringContaining(`:${getPort(hangingUp)}`) as string,
        });
      const driver = drivers[type] ?? expect.unreachable(`${type} has no driver in this test`);
      const isFirst = rotators.find((one) => drivers[one.type] === driver)?.type === type;
      expect((await packagesInAll(before)).has(driver)).toBe(!isFirst);
      expect((await packagesInAll(await built.loaded())).has(driver)).toBe(true);
    },
  );

  test("checks an edited configuration in a thread, whose code is in the folder", async () => {
    const edited = await readFile(path.join(scratch, "written.yaml"), "utf8");
    const compare = (body: string) =>
      built.call("POST", "/api/plan?format=text", {
        body,
        headers: { "content-type": "text/yaml" },
      });
    const same = await compare(edited);
    expect([same.status, await same.text()]).toEqual([
      200,
      expect.stringMatching(new RegExp(`^${rotators.length} unchanged\\n`)),
    ]);
    const wrong = await compare(`${edited}more: 1\n`);
    expect([wrong.status, await wrong.json()]).toMatchObject([
      422,
      { problems: [{ path: "more" }] },
    ]);
  });

  test("answers with the document of the API, and loads what makes it only then", async () => {
    expect(await packagesInAll((await built.loaded()).filter(isJavaScript))).not.toContain(
      "zod-openapi",
    );
    const answer = await built.call("GET", "/api/openapi.json");
    expect([answer.status, await answer.json()]).toEqual([
      200,
      JSON.parse(JSON.stringify(makeDocument())),
    ]);
    expect(await packagesInAll((await built.loaded()).filter(isJavaScript))).toContain(
      "zod-openapi",
    );
  });

  test("needs nothing outside its folder", async () => {
    expect(await built.foreign()).toEqual([]);
  });

  test("can load every chunk that is loaded when used", async () => {
    const chunks = globSync("chunks/*.js", { cwd: folder });
    const texts = await Promise.all(chunks.map((it) => readFile(path.join(folder, it), "utf8")));
    const used = texts.flatMap((text) =>
      Array.from(text.matchAll(/\bimport\("\.\/([\w-]+\.js)"\)/g), ([, file = ""]) => file),
    );
    const urls = used.map((file) => pathToFileURL(path.join(folder, "chunks", file)).href);
    expect(urls.length).toBeGreaterThanOrEqual((await lazyPackages()).size);
    const program = `
      for (const url of ${JSON.stringify(urls)}) {
        const names = Object.keys(await import(url));
        if (names.length === 0) throw new Error(url + " exports nothing");
      }`;
    await run(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: folder,
      env: {},
    });
  });
});

describe("The built folder", () => {
  test("is a complete package: manifest, host settings, configuration, licences", async () => {
    const read = (file: string) => readFile(path.join(folder, file), "utf8");
    expect(JSON.parse(await read("package.json"))).toMatchObject({
      name: "keyturn",
      type: "module",
      main: "functions/*.js",
    });
    expect(await read("host.json")).toBe(await readFile(path.join(root, "host.json"), "utf8"));
    expect(await read("keyturn.yaml")).toBe(
      await readFile(path.join(scratch, "written.yaml"), "utf8"),
    );
    const licences = await read("THIRD-PARTY-LICENCES.txt");
    for (const name of await packagesInAll(scripts())) {
      expect(licences).toContain(`\n${name} `);
    }
  });

  test("contains every file that the page about the package lists", async () => {
    const page = await readFile(path.join(root, "docs", "reference", "package.md"), "utf8");
    const [, table = ""] = /## Files\n\n(.+?)\n\n/s.exec(page) ?? [];
    const cells = Array.from(table.matchAll(/^\| (`[^|]+) \|/gm), ([, cell = ""]) => cell);
    const listed = cells.flatMap((cell) =>
      Array.from(cell.matchAll(/`([^`]+)`/g), ([, it = ""]) => it),
    );
    expect(listed).toContain("chunks/app.js");
    const missing = listed.filter(
      (it) => globSync(it.replace(/^\*/, "**/*"), { cwd: folder }).length === 0,
    );
    expect(missing).toEqual([]);
  });

  test("reveals nothing about the machine that it was built on", async () => {
    const files = globSync("**/*", { cwd: folder, withFileTypes: true }).filter((it) =>
      it.isFile(),
    );
    for (const { parentPath, name } of files.filter((it) => it.name !== "keyturn.yaml")) {
      const text = await readFile(path.join(parentPath, name), "utf8");
      expect(text.includes(root), name).toBe(false);
    }
  });

  test("is listed with its sizes, with later chunks counted separately", () => {
    expect(printed).toMatch(/functions and all they load at start +\d+ +\d+ KB +\d+ KB/);
    expect(printed).toMatch(/loaded when used[\s\S]+chunks\/pg\.js/);
    expect(printed).toMatch(/is ready after \d+\.\d s/);
  });

  test("is deleted when it cannot be completed", async () => {
    const half = path.join(scratch, "half");
    await expect(
      build("--out", half, "--config", path.join(scratch, "missing.yaml")),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The build failed") as string,
    });
    expect(existsSync(half)).toBe(false);
  });

  test("does not overwrite another folder", async () => {
    await expect(build("--out", folder)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/The build failed: .* is not empty/) as string,
    });
  });
});
