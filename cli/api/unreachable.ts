import type { Connection, Environment } from "../connection/connection.ts";
import { exitCodes, Failure } from "../exit-codes.ts";

/** Explains why a request got no answer. The error of the client is not shown: it may contain the address with its query. */
export function explainNoAnswer(
  error: unknown,
  { host }: Connection,
  { seconds, environment }: { readonly seconds: number; readonly environment: Environment },
): Failure {
  const codes = listCodes(error);
  const has = (...wanted: string[]) => codes.some((code) => wanted.includes(code));
  const fail = (message: string, isTransient = true) =>
    new Failure(message, exitCodes.unreachable, { isTransient });
  if (has("TimeoutError", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT")) {
    return fail(
      `${host} did not answer within ${seconds} s. Check the address, the network and the firewall, or wait longer with --request-timeout.${proxyHint(environment)}`,
    );
  }
  if (has("ECONNREFUSED")) {
    return fail(
      `Nothing listens at ${host}. Check the address, and that the app runs. The local app is started by npm start.${proxyHint(environment)}`,
    );
  }
  if (has("ENOTFOUND", "EAI_AGAIN")) {
    return fail(
      `The host name of ${host} cannot be resolved. Check the spelling of the address, and the network or VPN.${proxyHint(environment)}`,
    );
  }
  if (listMessages(error).includes("bad port")) {
    return fail(`No HTTP client may use the port of ${host}. Check the address.`, false);
  }
  const certificate = codes.find((code) => /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(code));
  if (certificate !== undefined) {
    return fail(
      `The certificate of ${host} is not trusted (${certificate}). If a company proxy or a private CA signs it, set NODE_EXTRA_CA_CERTS to the CA's file.`,
      false,
    );
  }
  const proxyStatus = /proxy response \((\d{3})\)/i.exec(listMessages(error))?.[1];
  if (proxyStatus !== undefined) {
    const advice =
      proxyStatus === "407"
        ? "Put the user name and the password into HTTPS_PROXY"
        : "Check HTTPS_PROXY";
    return fail(
      `The proxy refused a connection to ${host} (${proxyStatus}). ${advice}, or add the host to NO_PROXY.`,
      false,
    );
  }
  return fail(
    `The connection to ${host} was lost (${codes[0] ?? "no reason is known"}). Try again, and check the network, the address and any proxy.${proxyHint(environment)}`,
  );
}

/** Node reads the proxy settings only if it is started so. */
function proxyHint(environment: Environment): string {
  const hasProxy = ["HTTPS_PROXY", "https_proxy"].some((name) => (environment[name] ?? "") !== "");
  if (!hasProxy || environment["NODE_USE_ENV_PROXY"] === "1") return "";
  return " HTTPS_PROXY is set, but Node uses it only with NODE_USE_ENV_PROXY=1.";
}

/** The names and codes of the error and its causes. They contain no address. */
function listCodes(error: unknown): string[] {
  return chainOf(error).flatMap((one) => {
    const code: unknown = Reflect.get(one, "code");
    return [...(typeof code === "string" ? [code] : []), ...(isTimeout(one) ? [one.name] : [])];
  });
}

const isTimeout = (error: Error): boolean => error.name === "TimeoutError";

const listMessages = (error: unknown): string =>
  chainOf(error)
    .map(({ message }) => message)
    .join("\n");

function chainOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const several: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error, ...several.flatMap(chainOf), ...chainOf(error.cause)];
}
