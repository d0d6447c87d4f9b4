import { ConfigError } from "../core/errors.ts";
import { isLoopback } from "../core/secrets/addresses.ts";

/**
 * Checks an address to which Keyturn sends secrets, tokens or signed requests: it must be https or loopback. `what` names the
 * setting. Throws ConfigError without the address, which may contain a password or a key.
 */
export function parseWebAddress(text: string, what: string): URL {
  const address = URL.parse(text);
  if (!address) throw new ConfigError(`${what} is not a URL.`);
  if (address.username !== "" || address.password !== "") {
    throw new ConfigError(`${what} must not contain a user name or a password.`);
  }
  if (address.hash !== "") throw new ConfigError(`${what} must not have a part after #.`);
  const plain = address.protocol === "http:" && isLoopback(address);
  if (address.protocol !== "https:" && !plain) {
    throw new ConfigError(
      `${what} must begin with https://; only loopback addresses may use http.`,
    );
  }
  return address;
}
