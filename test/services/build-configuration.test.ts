import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { makeCertificate } from "../../local/certificate.ts";
import { makeFolder } from "../config/written.ts";

const root = resolve(import.meta.dirname, "../..");

function build(...given: string[]) {
  const args = [join(root, "scripts", "build.ts"), ...given];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** Starts the package in the working directory that it has on Azure, and records its files in `record`. */
function start(folder: string, record: string) {
  const program = join(root, "scripts", "bench", "started-app.mjs");
  const recorder = import.meta.resolve("./resolved-files.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", recorder, program], {
    cwd: folder,
    env: { AzureWebJobsStorage: "UseDevelopmentStorage=true", RESOLVED_FILES: record },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** The chunks of a package that were loaded. */
async function chunksIn(record: string): Promise<string[]> {
  const found = (await readFile(record, "utf8")).matchAll(/chunks\/([\w-]+)\.js/g);
  return [...new Set(Array.from(found, ([, name = ""]) => name))].toSorted();
}

const target = (caFile: string, publish: string) => ({
  ...{ type: "postgresql", accounts: ["app"], admin: "self", publish },
  options: { host: `${publish}.example`, tls: { caFile } },
});

describe("The package", () => {
  test("is not built with a configuration that the app would refuse, and every problem is shown", async () => {
    const folder = await makeFolder({
      "broken.yaml": [
        "version: 1",
        "policies: { default: { every: soon } }",
        "targets: { orders: { type: postgresq } }",
      ].join("\n"),
    });
    const out = join(folder, "package");
    const { status, stderr } = build("--out", out, "--config", join(folder, "broken.yaml"));
    expect(status).toBe(1);
    expect(stderr).toContain("The build failed: The configuration has ");
    expect(stderr).toContain("broken.yaml:2:31  policies.default.every: must be a duration");
    expect(stderr).toContain("broken.yaml:3:28  targets.orders.type: ");
    expect(existsSync(out)).toBe(false);
  });

  test("contains the CA files that its configuration names, at the same paths", async () => {
    const { ca } = await makeCertificate();
    const folder = await makeFolder({ "elsewhere.pem": ca });
    const given = join(folder, "given");
    await mkdir(join(given, "ca"), { recursive: true });
    await writeFile(join(given, "ca", "orders.pem"), ca);
    const elsewhere = join(folder, "elsewhere.pem");
    const config = {
      version: 1,
      vaults: { main: { url: "https://kv.vault.azure.net" } },
      policies: { default: { every: "30d" } },
      targets: {
        orders: target("ca/orders.pem", "orders"),
        reports: target(elsewhere, "reports"),
      },
    };
    await writeFile(join(given, "orders.yaml"), stringify(config));
    const out = join(folder, "package");
    const built = build("--out", out, "--config", join(given, "orders.yaml"));
    expect(built).toMatchObject({ status: 0, stderr: "" });
    expect(await readFile(join(out, "ca", "orders.pem"), "utf8")).toBe(ca);
    expect(built.stdout).toContain(
      `The configuration names ${elsewhere}, which is not in the package.`,
    );
  });

  test("loads only what every start needs, and the configuration that exists at the start", async () => {
    const { ca } = await makeCertificate();
    const folder = await makeFolder({ "ca.pem": ca });
    const config = {
      version: 1,
      vaults: { main: { url: "https://kv.vault.azure.net" } },
      policies: { default: { every: "30d" } },
      targets: { orders: target("ca.pem", "orders") },
    };
    await writeFile(join(folder, "orders.yaml"), stringify(config));
    const out = join(folder, "package");
    expect(build("--out", out, "--config", join(folder, "orders.yaml"))).toMatchObject({
      status: 0,
    });
    expect(existsSync(join(out, "keyturn.yaml.checked"))).toBe(true);
    const record = (name: string) => join(folder, name);
    expect(start(out, record("packed"))).toMatchObject({ status: 0, stderr: "" });
    expect(await chunksIn(record("packed"))).toEqual(["app", "rolldown-runtime"]);
    const packed = await readFile(join(out, "keyturn.yaml"), "utf8");
    await writeFile(join(out, "keyturn.yaml"), packed.replace("30d", "soon"));
    expect(start(out, record("edited")).stderr).toContain(
      "keyturn.yaml:7:12  policies.default.every: must be a duration",
    );
    await writeFile(join(out, "keyturn.yaml"), packed);
    await rm(join(out, "ca.pem"));
    expect(start(out, record("without")).stderr).toMatch(
      /keyturn\.yaml:\d+:\d+ {2}targets\.orders\.options\.tls\.caFile: does not exist/,
    );
  });

  test.each([
    [["--config", "a.yaml", "--config", "b.yaml"], "--config is given more than once"],
    [["--config", "docs"], "--config docs is a folder"],
  ])("is not built with %j", async (given, sentence) => {
    const out = join(await makeFolder({}), "package");
    const { status, stderr } = build("--out", out, ...given);
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(existsSync(out)).toBe(false);
  });
});
