import { isLoopback } from "../core/secrets/addresses.ts";

export const addressBegin = /^https?:\/\//;
export const addressMessage = "must be a web address that begins with https://";

/** Returns the problem of a web address, or undefined. Plain http is allowed for loopback addresses only. */
export function findAddressProblem(text: string): string | undefined {
  if (!addressBegin.test(text)) return addressMessage;
  const url = URL.parse(text);
  if (url === null) return "is not a valid web address";
  if (url.username !== "" || url.password !== "") return "must not contain a user name or password";
  if (url.protocol === "http:" && !isLoopback(url)) {
    return "must begin with https://; http:// is allowed for loopback addresses only";
  }
  return url.hash === "" ? undefined : "must not contain a fragment (#)";
}
