/** Accounts of an LDAP directory, such as OpenLDAP, that log in with a simple bind and a password. */
import { connect } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  connectLimit,
  type Credential,
  defineRotator,
  describeConnectionError,
  findUnfitName,
  hasFired,
  host,
  makeSecureContext,
  OutcomeUnknownError,
  TargetUnavailableError,
  tls,
  type Using,
  z,
} from "keyturn/rotator";
import type { Client } from "ldapts";
import { toModifyPassword, withPassword } from "./modify-password.ts";

const options = z.strictObject({
  host,
  port: z.int().min(1).max(65535).default(636),
  /** The entry below which all accounts are, such as ou=people,dc=example,dc=com. */
  base: z.string().min(1),
  /** The attribute that names an account. */
  attribute: z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9-]*$/)
    .default("uid"),
  tls: tls.prefault({}),
});
export type OpenldapOptions = z.output<typeof options>;

export default defineRotator<OpenldapOptions>({
  type: "openldap",
  mistakenFor: ["ldap"],
  options,
  capabilities: { selfService: true, admin: true, identity: false, propagation: 0 },
  endpoint: ({ host: name, port, base, attribute }) => ({
    engine: "ldap",
    host: name,
    port,
    more: { base, attribute },
  }),
  accountRealm: ({ base }) => base.toLowerCase(),
  findUnfitAccount: findUnfitName,

  async verify({ credential, ...call }, signal) {
    const outcome = await withSession({ ...call, as: credential }, signal, () => Promise.resolve());
    return outcome === "rejected" ? "rejected" : "accepted";
  },

  async apply({ next, using, ...call }, signal) {
    await change({ ...call, using, account: next.account }, signal, (client, dn) =>
      client.exop(withPassword, toModifyPassword(dn, next.secret)),
    );
    return { credential: next };
  },

  async retire({ account, using, ...call }, signal) {
    // Without a value, every password is deleted. It is no error if there is none.
    const { Attribute, Change } = await import("ldapts");
    const none = new Change({
      operation: "replace",
      modification: new Attribute({ type: "userPassword", values: [] }),
    });
    await change({ ...call, using, account }, signal, (client, dn) => client.modify(dn, none));
  },
});

interface Call {
  readonly options: OpenldapOptions;
  readonly connectWithin?: number;
}

/** Makes a change in a session of the authority. */
async function change(
  {
    using,
    account,
    ...call
  }: Call & {
    readonly using: Using;
    readonly account: string;
  },
  signal: AbortSignal,
  make: (client: Client, dn: string) => Promise<unknown>,
): Promise<void> {
  if (using.as === "identity") throw new ConfigError("A directory knows no Azure identity.");
  const as = using.credential;
  const outcome = await withSession({ ...call, as }, signal, async (client) => {
    try {
      await make(client, await toDn(call.options, account));
    } catch (error) {
      throw toChangeError(error, `${describe(call.options, account)}, changed by ${as.account}`);
    }
  });
  if (outcome === "rejected") {
    throw new AuthorityRefusedError(`${describe(call.options, as.account)}: the log-in is refused`);
  }
}

/** LDAP result codes with a sentence of their own. The server's text is never shown, because it may repeat a value. */
const meanings: Readonly<Record<number, string>> = {
  19: "the password policy of the directory refuses the new password",
  32: "the account does not exist",
  50: 'the authority lacks the right to write userPassword. Add `by dn.exact="…" write` to the access rule',
  53: "the directory refuses the change",
};

function toChangeError(error: unknown, where: string): Error {
  const code = resultCode(error);
  if (code === undefined) {
    return new OutcomeUnknownError(`${where}: ${describeConnectionError(error)} during the change`);
  }
  const sentence = meanings[code] ?? "the directory refuses the change";
  return new ChangeRefusedError(`${where}: ${sentence} (LDAP result ${code})`);
}

/** The result code of an answer. Undefined without an answer. */
function resultCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "number" ? code : undefined;
}

/** Logs in on a new connection, and does the work in it. "rejected": the directory refuses the password. */
async function withSession(
  { options: to, as, connectWithin }: Call & { readonly as: Credential },
  signal: AbortSignal,
  work: (client: Client) => Promise<void>,
): Promise<"rejected" | undefined> {
  const where = describe(to, as.account);
  // A bind with an empty password is an anonymous one, and succeeds for every account.
  if (as.secret.reveal() === "") throw new ConfigError(`${where}: the secret is empty`);
  if (hasFired(signal)) throw new TargetUnavailableError(`${where}: the call timed out`);
  const { Client: LdapClient } = await import("ldapts");
  const line = openLine(to, await contextOf(to));
  const client = new LdapClient({ url: "ldap://127.0.0.1", createConnection: line.take });
  const limit = connectLimit(connectWithin, line.drop);
  signal.addEventListener("abort", line.drop);
  try {
    const dn = await toDn(to, as.account);
    const refused = await line.orLost(client.bind(dn, as.secret.reveal())).then(
      () => undefined,
      (error: unknown) => error,
    );
    limit.end();
    if (refused !== undefined) return toLoginVerdict(refused, where, limit.reached());
    await line.orLost(work(client));
    return undefined;
  } finally {
    limit.end();
    signal.removeEventListener("abort", line.drop);
    line.drop();
  }
}

function toLoginVerdict(error: unknown, where: string, late: string | undefined): "rejected" {
  const code = resultCode(error);
  // 49: the account or the password is wrong. 48: the account has no password.
  if (code === 49 || code === 48) return "rejected";
  const reason =
    code === undefined
      ? (late ?? describeConnectionError(error, "options.tls.caFile"))
      : `the directory does not accept the log-in now (LDAP result ${code})`;
  throw new TargetUnavailableError(`${where}: ${reason}`);
}

/** The one connection of a call. The client would silently open a second one, without a log-in, when the first is lost. */
function openLine({ host: name, port }: OpenldapOptions, secureContext: SecureContext | undefined) {
  const socket = secureContext
    ? connectTls({ host: name, port, secureContext })
    : connect({ host: name, port });
  const lost = new Promise<never>((_, reject) => {
    socket.once("error", reject).once("close", () => {
      reject(new Error("the connection was closed"));
    });
  });
  lost.catch(() => undefined);
  let isTaken = false;
  return {
    take: () => {
      if (isTaken) throw new Error("the connection was closed");
      isTaken = true;
      return socket;
    },
    drop: () => socket.destroy(),
    orLost: <Result>(answer: Promise<Result>) => Promise.race([answer, lost]),
  };
}

const contextOf = ({ tls: { mode, caFile } }: OpenldapOptions) =>
  mode === "disable" ? undefined : makeSecureContext(caFile);

async function toDn({ attribute, base }: OpenldapOptions, account: string): Promise<string> {
  const { DN } = await import("ldapts");
  return `${new DN({ [attribute]: account }).toString()},${base}`;
}

const describe = ({ host: name, port }: OpenldapOptions, account: string): string =>
  `the directory at ${name}:${port}, account ${account}`;
