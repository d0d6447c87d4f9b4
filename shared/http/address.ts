import { ConfigError } from "../core/errors.ts";

/** True only for addresses that cannot leave the machine; `.localhost` names are not trusted to. */
export function isLoopback(address: URL): boolean {
  // The URL parser has already turned every spelling of an IPv4 address into four decimal parts.
  return (
    /^127\.\d+\.\d+\.\d+$/.test(address.hostname) ||
    address.hostname === "[::1]" ||
    address.hostname === "localhost"
  );
}

/**
 * An address that secrets, tokens or signed requests may be sent to: https, or anything on loopback. `what` names
 * the setting. Throws ConfigError, which never repeats the address: it may hold a password or a key.
 */
export function webAddress(text: string, what: string): URL {
  const address = URL.parse(text);
  if (!address) throw new ConfigError(`${what} is not a URL.`);
  if (address.username !== "" || address.password !== "") {
    throw new ConfigError(`${what} must not contain a user name or a password.`);
  }
  if (address.hash !== "") throw new ConfigError(`${what} must not have a part after #.`);
  const plain = address.protocol === "http:" && isLoopback(address);
  if (address.protocol !== "https:" && !plain) {
    throw new ConfigError(`${what} must begin with https://; only loopback may be plain http.`);
  }
  return address;
}

/** True when the host is one name below one of the suffixes, or several. */
export function isBelow(address: URL, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => address.hostname.endsWith(`.${suffix}`));
}
