import { chown, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeRunner } from "../../local/postgres/runner.ts";
import { unpackDebian } from "./cache/debian.ts";
import { makeAdmin } from "./process/credential.ts";
import { makeFolder, writeTlsFiles } from "./process/folder.ts";
import { launch } from "./process/launch.ts";
import { toStartedServer } from "./process/started.ts";
import type { StartedServer } from "./server.ts";

export const ldapSuffix = "dc=example,dc=com";

/** The folder of people, whose accounts have passwords. */
export const ldapPeople = `ou=people,${ldapSuffix}`;

/** Tests create this account. It may change the passwords of everybody. */
export const ldapAdmin = "rotation_admin";

/**
 * Starts OpenLDAP with TLS only. The admin is its rootdn, whose account is a whole DN. Passwords have at least five characters, the server
 * hashes them, and `cn=Monitor` counts log-ins and connections.
 */
export async function startOpenldap(): Promise<StartedServer> {
  const unpacked = await unpackDebian({ system: "openldap", suite: "own", packages: ["slapd"] });
  const folder = await makeFolder("openldap");
  const tls = await writeTlsFiles(folder);
  const admin = makeAdmin(`cn=root,${ldapSuffix}`);
  const data = join(folder.path, "data");
  await mkdir(data);
  const as = makeRunner();
  if (as !== undefined) await chown(data, as.uid, as.gid);
  const root = admin.secret.reveal();
  const schemas = ["core", "cosine", "inetorgperson"].map(
    (name) => `include ${unpacked.folder}/etc/ldap/schema/${name}.schema`,
  );
  const config = [
    ...schemas,
    `modulepath ${unpacked.folder}/usr/lib/ldap`,
    ...["back_mdb.la", "back_monitor.la", "ppolicy.la"].map((name) => `moduleload ${name}`),
    `TLSCACertificateFile ${tls.caFile}`,
    `TLSCertificateFile ${tls.certFile}`,
    `TLSCertificateKeyFile ${tls.keyFile}`,
    "database mdb",
    `suffix "${ldapSuffix}"`,
    `rootdn "${admin.account}"`,
    `rootpw ${root}`,
    `directory ${data}`,
    "dbnosync",
    "overlay ppolicy",
    `ppolicy_default "cn=policy,${ldapSuffix}"`,
    "ppolicy_hash_cleartext",
    "access to attrs=userPassword",
    `  by dn.exact="uid=${ldapAdmin},${ldapPeople}" write`,
    "  by self write",
    "  by anonymous auth",
    "  by * none",
    "access to * by * read",
    "database monitor",
    `access to * by dn.exact="${admin.account}" read by * none`,
    "",
  ].join("\n");
  const file = await folder.write("slapd.conf", config);
  const server = await launch({
    name: "OpenLDAP",
    folder,
    command: (port) =>
      unpacked.command(
        "usr/sbin/slapd",
        ...["-f", file, "-h", `ldaps://127.0.0.1:${String(port)}/`, "-d", "stats"],
      ),
    ready: /slapd starting/,
  });
  const log = await readFile(server.logFile, "utf8");
  const version = /slapd (\d+(?:\.\d+)+)/.exec(log)?.[1] ?? "unknown";
  return toStartedServer(server, { system: "openldap", tls, version, admin, data });
}
