import { chown, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "../../../local/postgres/orphan.ts";
import { makeRunner } from "../../../local/postgres/runner.ts";
import { localCertificate } from "../../doubles/certificate.ts";

const prefix = "keyturn-server-";

/** The folder of one server. Everything in it belongs to the user that the server runs as. */
export interface Folder {
  readonly path: string;
  /** Writes a file that only the server (and root) can read. Returns its path. */
  write(name: string, content: string): Promise<string>;
}

export async function makeFolder(system: string): Promise<Folder> {
  await sweep();
  const as = makeRunner();
  const path = await mkdtemp(join(tmpdir(), `${prefix}${String(process.pid)}-${system}-`));
  if (as !== undefined) await chown(path, as.uid, as.gid);
  return {
    path,
    async write(name, content) {
      const file = join(path, name);
      await writeFile(file, content, { mode: 0o600 });
      if (as !== undefined) await chown(file, as.uid, as.gid);
      return file;
    },
  };
}

let swept: Promise<unknown> | undefined;

/** Deletes the folders of test runs that were killed. */
function sweep(): Promise<unknown> {
  swept ??= readdir(tmpdir()).then((names) =>
    Promise.all(
      names
        .filter((name) => name.startsWith(prefix) && !isAlive(Number(name.split("-")[2])))
        .map((name) => rm(join(tmpdir(), name), { recursive: true, force: true })),
    ),
  );
  return swept;
}

export interface TlsFiles {
  /** PEM. */
  readonly ca: string;
  /** PEM. */
  readonly key: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate for 127.0.0.1 and localhost. */
export async function writeTlsFiles(folder: Folder): Promise<TlsFiles> {
  const { key, cert } = await localCertificate();
  return {
    ca: cert,
    key,
    caFile: await folder.write("ca.pem", cert),
    certFile: await folder.write("server-cert.pem", cert),
    keyFile: await folder.write("server-key.pem", key),
  };
}
