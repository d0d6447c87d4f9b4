/** The rotator `skeleton`. Replace `ask` with the client of your system, and say what its answers mean in `toError`. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
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

const options = z.strictObject({
  host,
  port: z.int().min(1).max(65535).default(9999),
  tls: tls.prefault({}),
});
export type SkeletonOptions = z.output<typeof options>;

export default defineRotator<SkeletonOptions>({
  type: "skeleton",
  options,
  capabilities: { selfService: true, admin: true, identity: false, propagation: 0 },
  endpoint: ({ host: name, port }) => ({ engine: "skeleton", host: name, port }),
  findUnfitAccount: findUnfitName,

  async verify({ credential, ...call }, signal) {
    const answer = await ask({ ...call, as: credential }, signal);
    return answer === "wrong-secret" ? "rejected" : "accepted";
  },

  async apply({ next, using, ...call }, signal) {
    const as = credentialOf(using);
    const change = { set: next.account, secret: next.secret.reveal() };
    requireOk(await ask({ ...call, as, change }, signal), as, next.account);
    return { credential: next };
  },

  async retire({ account, using, ...call }, signal) {
    const as = credentialOf(using);
    requireOk(await ask({ ...call, as, change: { clear: account } }, signal), as, account);
  },
});

/** `capabilities.identity` is false, so Keyturn never calls with the identity. */
function credentialOf(using: Using): Credential {
  if (using.as !== "identity") return using.credential;
  throw new ChangeRefusedError("The system skeleton knows no Azure identity.");
}

/** What the answers of the system mean. Never put its own text into a message: it may repeat a secret. */
function requireOk(answer: string, as: Credential, account: string): void {
  if (answer === "ok") return;
  if (answer === "wrong-secret") {
    throw new AuthorityRefusedError(`skeleton refuses the log-in of ${as.account}`);
  }
  throw new ChangeRefusedError(
    `skeleton: ${as.account} may not change account ${account}, or the system refuses the secret`,
  );
}

interface Question {
  readonly options: SkeletonOptions;
  readonly as: Credential;
  /** Absent: the log-in is all. */
  readonly change?: Readonly<Record<string, string>>;
  readonly connectWithin?: number;
}

/** Logs in on a new connection, and sends the change if the system has accepted the log-in. Returns the last answer. */
async function ask(
  { options: to, as, change, connectWithin }: Question,
  signal: AbortSignal,
): Promise<string> {
  const where = `skeleton at ${to.host}:${to.port}, account ${as.account}`;
  if (hasFired(signal)) throw new TargetUnavailableError(`${where}: the call timed out`);
  const socket = await open(to);
  const drop = () => socket.destroy();
  const limit = connectLimit(connectWithin, drop);
  signal.addEventListener("abort", drop);
  const sent = { isChange: false };
  try {
    const loggedIn = await send(socket, { as: as.account, with: as.secret.reveal() });
    limit.end();
    if (loggedIn !== "ok" || !change) return loggedIn;
    sent.isChange = true;
    return await send(socket, change);
  } catch (error) {
    const late = limit.reached() ?? (hasFired(signal) ? "the call timed out" : undefined);
    const reason = late ?? describeConnectionError(error, "options.tls.caFile");
    // After the change was sent, nobody knows whether it was made.
    const Kind = sent.isChange ? OutcomeUnknownError : TargetUnavailableError;
    throw new Kind(`${where}: ${reason}`);
  } finally {
    limit.end();
    signal.removeEventListener("abort", drop);
    socket.destroy();
  }
}

/** Verifies the server, unless the options say that it speaks no TLS. Throws ConfigError for a CA file that cannot be used. */
async function open({ host: name, port, tls: { mode, caFile } }: SkeletonOptions): Promise<Socket> {
  if (mode === "disable") return connect({ host: name, port });
  return connectTls({ host: name, port, secureContext: await makeSecureContext(caFile) });
}

/** Sends one line of JSON, and returns the line of the answer. Rejects when the connection ends before. */
async function send(socket: Socket, line: Readonly<Record<string, string>>): Promise<string> {
  socket.write(`${JSON.stringify(line)}\n`);
  return new Promise((resolve, reject) => {
    let received = "";
    socket.on("data", (data) => {
      received += data.toString();
      if (received.includes("\n")) resolve(received.trim());
    });
    socket.once("error", reject).once("close", reject);
  });
}
