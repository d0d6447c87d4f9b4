import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type System, systems } from "../server.ts";
import { cached, findCache, showProgress } from "./cache.ts";
import { withLock } from "./lock.ts";
import { orNotAvailable } from "./not-available.ts";
import { run } from "./run.ts";

/** `own`: the suite that this machine uses. `sid`: Debian unstable, from the mirror that this machine uses. */
export type Suite = "own" | "sid";

export interface Wanted {
  readonly system: System;
  readonly suite: Suite;
  /** Names of Debian packages. Apt adds everything that they depend on. */
  readonly packages: readonly string[];
  /** Runs once, after the packages have been unpacked. */
  readonly prepare?: (unpacked: Unpacked) => Promise<void>;
}

/** Programs that run from a folder, with all their libraries, whatever this machine has installed. */
export interface Unpacked {
  /** Absolute path. Files of packages are below it, such as `usr/sbin/mysqld`. */
  readonly folder: string;
  /** The command line for a program, given by its path in the packages. */
  command(program: string, ...args: readonly string[]): readonly string[];
}

const platforms: Partial<Record<string, { triplet: string; loader: string }>> = {
  x64: { triplet: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  arm64: { triplet: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};

/** Downloads and unpacks Debian packages into the cache, if they are not there yet. Installs nothing and needs no root. */
export async function unpackDebian(wanted: Wanted): Promise<Unpacked> {
  const { system, suite, packages, prepare } = wanted;
  // Other packages make another folder, so that no old cache is taken for a new one.
  const name = [...packages, ...(suite === "own" ? [] : [suite])].join("-");
  const tried = `Debian packages ${packages.join(", ")} of ${suite === "own" ? "this machine's suite" : suite}, with apt-get`;
  return orNotAvailable(system, tried, async () => {
    const folder = await cached(name, async (partial) => {
      showProgress(`downloading ${systems[system]} (${tried})`);
      const archives = join(partial, "archives");
      await download(suite, packages, archives);
      const files = (await readdir(archives)).filter((file) => file.endsWith(".deb"));
      for (const file of files) await run(["dpkg-deb", "-x", join(archives, file), partial]);
      await rm(archives, { recursive: true });
      showProgress(`unpacked ${String(files.length)} packages for ${systems[system]}`);
      await prepare?.(await toUnpacked(partial));
    });
    return toUnpacked(folder);
  });
}

async function toUnpacked(folder: string): Promise<Unpacked> {
  const platform = platforms[process.arch];
  if (process.platform !== "linux" || platform === undefined)
    throw new Error(`Debian packages do not run on ${process.platform}-${process.arch}.`);
  const libraries = ["usr/lib", "lib"].map((lib) => join(folder, lib, platform.triplet));
  // The packages bring their own C library, so they also need its loader.
  let loader = "";
  for (const library of libraries) {
    const file = join(library, platform.loader);
    if (await stat(file).catch(() => undefined)) loader = file;
  }
  return {
    folder,
    command: (program, ...args) => [
      loader,
      ...["--library-path", libraries.join(":")],
      join(folder, program),
      ...args,
    ],
  };
}

/** Apt verifies the archive's signatures and the checksum of each package. */
async function download(
  suite: Suite,
  packages: readonly string[],
  archives: string,
): Promise<void> {
  const cache = await findCache();
  await withLock(join(cache, `apt-${suite}.lock`), async () => {
    const apt = await privateApt(suite, join(cache, `apt-${suite}`));
    await mkdir(join(archives, "partial"), { recursive: true });
    const options = [...apt, "-o", `Dir::Cache::archives=${archives}`];
    await run(["apt-get", ...options, "--yes", "--download-only", "install", ...packages]);
  });
}

/** How old lists of packages may be. Debian deletes packages that newer ones replace. */
const listsKeptMs = 10 * 60_000;

/** Returns the options that make apt use a folder of its own, in which nothing is installed yet. Updates its lists. */
async function privateApt(suite: Suite, state: string): Promise<readonly string[]> {
  await mkdir(join(state, "lists/partial"), { recursive: true });
  const status = join(state, "status");
  await writeFile(status, "");
  const settings = [
    `Dir::State=${state}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${state}`,
    "APT::Install-Recommends=false",
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
    "Debug::NoLocking=true",
  ];
  if (suite !== "own") {
    const sources = join(state, "sources.list");
    await writeFile(sources, await sourcesOf(suite));
    settings.push(`Dir::Etc::sourcelist=${sources}`, "Dir::Etc::sourceparts=-");
  }
  const options = ["--quiet=2", ...settings.flatMap((setting) => ["-o", setting])];
  const updated = join(state, "updated");
  const { mtimeMs } = await stat(updated).catch(() => ({ mtimeMs: 0 }));
  if (Date.now() - mtimeMs > listsKeptMs) {
    // Without this, apt reports a mirror that does not answer as a success.
    await run(["apt-get", ...options, "-o", "APT::Update::Error-Mode=any", "update"]);
    await writeFile(updated, "");
  }
  return options;
}

/** The mirror is the one that this machine uses for its own suite. */
async function sourcesOf(suite: Suite): Promise<string> {
  const format = "$(CREATED_BY) $(RELEASE) $(SITE)";
  const targets = await run(["apt-get", "indextargets", "--no-release-info", "--format", format]);
  // "bookworm" and not "bookworm-updates" or "bookworm-security", which may be elsewhere.
  const mirror = /^Packages [a-z]+ (\S+)$/m.exec(targets)?.[1];
  if (mirror === undefined) throw new Error("This machine's apt has no Debian mirror.");
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const signed = (await stat(keyring).catch(() => undefined)) ? `[signed-by=${keyring}] ` : "";
  return `deb ${signed}${mirror} ${suite} main\n`;
}
