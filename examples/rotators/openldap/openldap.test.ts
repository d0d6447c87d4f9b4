/** The contract of rotators, tried on a real OpenLDAP. */
import { randomBytes } from "node:crypto";
import { Secret } from "keyturn/rotator";
import { cutProxy, printReport, type Subject, testRotator } from "keyturn/rotator/conformance";
import { Client, DN, InappropriateAuthError, InvalidCredentialsError } from "ldapts";
import {
  ldapAdmin,
  ldapPeople,
  ldapSuffix,
  startOpenldap,
} from "../../../test/servers/openldap.ts";
import rotator, { type OpenldapOptions } from "./openldap.ts";

const newSecret = () => new Secret(randomBytes(24).toString("hex"));
const admin = { account: ldapAdmin, secret: newSecret() };
const powerless = { account: "powerless", secret: newSecret() };

async function start() {
  const server = await startOpenldap();
  const { host, port, ca, caFile } = server;
  const connect = () => new Client({ url: `ldaps://${host}:${port}`, tlsOptions: { ca } });
  const root = connect();
  await root.bind(server.admin.account, server.admin.secret.reveal());
  let own = 1;
  const made = new Set<string>();
  const dnOf = (name: string) => `${new DN({ uid: name }).toString()},${ldapPeople}`;

  /** Adds the entry, or replaces it with its password. */
  async function account(name: string, secret: string): Promise<void> {
    if (made.has(name)) await root.del(dnOf(name));
    made.add(name);
    await root.add(dnOf(name), {
      objectClass: ["inetOrgPerson"],
      uid: name,
      cn: name,
      sn: name,
      userPassword: secret,
    });
  }

  /** The entry without its password. */
  async function traits(name: string) {
    const { searchEntries } = await root.search(dnOf(name), { scope: "base" });
    return { ...searchEntries[0], userPassword: undefined };
  }

  async function logsIn(name: string, secret: string): Promise<boolean> {
    own += 1;
    const client = connect();
    try {
      await client.bind(dnOf(name), secret);
      return true;
    } catch (error) {
      const isRefused =
        error instanceof InvalidCredentialsError || error instanceof InappropriateAuthError;
      if (isRefused) return false;
      throw error;
    } finally {
      await client.unbind();
    }
  }

  async function monitor(dn: string, attribute: string): Promise<number> {
    const found = await root.search(dn, { scope: "base", attributes: [attribute] });
    return Number(found.searchEntries[0]?.[attribute]);
  }

  await root.add(ldapSuffix, { objectClass: ["dcObject", "organization"], dc: "example", o: "x" });
  await root.add(ldapPeople, { objectClass: ["organizationalUnit"], ou: "people" });
  await root.add(`cn=policy,${ldapSuffix}`, {
    objectClass: ["pwdPolicy", "organizationalRole"],
    cn: "policy",
    pwdAttribute: "userPassword",
    pwdCheckQuality: "2",
    pwdMinLength: "5",
  });
  for (const one of [admin, powerless]) await account(one.account, one.secret.reveal());
  const aim = (changed: object) => ({
    rotator,
    options: rotator.options.parse({ host, port, base: ldapPeople, tls: { caFile }, ...changed }),
  });
  return { server, root, account, traits, logsIn, monitor, aim, ownLogIns: () => own };
}

const subject: Subject<OpenldapOptions> = {
  authorities: ["self", "admin"],
  lacks: ["examine"],
  refuses: true,
  losesReplies: true,
  hasLine: true,

  async start() {
    const { server, root, monitor, aim, ownLogIns, ...tools } = await start();
    const { host, port, ca } = server;
    const { connect } = await import("node:tls");
    // Plain text to the proxy, and TLS from there, so that a text of a command can cut the line.
    const proxy = await cutProxy(() => connect({ host, port, ca }));
    return {
      ...tools,
      aimed: aim({}),
      endpoint: { engine: "ldap", host, port, more: { base: ldapPeople, attribute: "uid" } },
      admin,
      powerless,
      unacceptable: { account: "app", secret: new Secret("four") },
      elsewhere: (at) => aim({ host: "127.0.0.1", port: at }),
      distrusted: () => aim({ tls: {} }),
      // A list with one entry for each account.
      snapshot: async () => (await root.search(ldapPeople)).searchEntries,
      // The client of the tests has one.
      openConnections: async () =>
        (await monitor("cn=Current,cn=Connections,cn=Monitor", "monitorCounter")) - 1,
      logIns: async () =>
        (await monitor("cn=Bind,cn=Operations,cn=Monitor", "monitorOpCompleted")) - ownLogIns(),
      loseReply() {
        proxy.cutAt("1.3.6.1.4.1.4203.1.11.1", "carried-out");
        return Promise.resolve(aim({ port: proxy.port, tls: { mode: "disable" } }));
      },
      async stop() {
        await root.unbind();
        await proxy.close();
        await server.stop();
      },
    };
  },
};

testRotator("openldap", subject, { onReport: printReport });
