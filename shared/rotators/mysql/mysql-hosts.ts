import { BlockList, isIP } from "node:net";

/**
 * Pure: whether the host part of an account permits connections from there. `from` is an address or a name, as the server sees it.
 * Undefined if that is uncertain: the server also compares the name of an address, or the address of a name.
 */
export function permitsHost(pattern: string, from: string): boolean | undefined {
  if (pattern === "" || pattern === "%") return true;
  const range = toRange(pattern);
  if (range !== undefined) {
    return isIP(from) === 4 ? range.check(from) : undefined;
  }
  if (matches(pattern, from)) return true;
  const isSameKind = isIP(from) > 0 === /^[\d.%_:]+$/.test(pattern);
  return isSameKind ? false : undefined;
}

/** Pure: the more of a pattern comes before its first wildcard, the earlier the server tries it. */
export function compareHosts(a: string, b: string): number {
  const rank = (host: string) => (toRange(host) ? host.length : host.search(/[%_]|$/));
  return rank(b) - rank(a);
}

/** `10.0.0.0/255.0.0.0` or `10.0.0.0/8`. */
function toRange(pattern: string): BlockList | undefined {
  const [base = "", mask] = pattern.split("/");
  if (mask === undefined || isIP(base) !== 4) return undefined;
  const bits = isIP(mask) === 4 ? countBits(mask) : Number(mask);
  if (!(Number.isInteger(bits) && bits >= 0 && bits <= 32)) return undefined;
  const list = new BlockList();
  list.addSubnet(base, bits, "ipv4");
  return list;
}

const countBits = (mask: string): number =>
  mask
    .split(".")
    .map((part) => Number(part).toString(2).replaceAll("0", "").length)
    .reduce((sum, count) => sum + count, 0);

/** `%` stands for any text, `_` for one character. */
function matches(pattern: string, host: string): boolean {
  const text = pattern
    .replaceAll(/[^\w%]/g, String.raw`\$&`)
    .replaceAll("_", ".")
    .replaceAll(/%+/g, ".*");
  return new RegExp(`^${text}$`, "i").test(host);
}
