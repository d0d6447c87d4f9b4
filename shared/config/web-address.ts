import { isLoopback } from "../core/secrets/addresses.ts";

export const addressBegin = /^https?:\/\//;
export const addressMessage = "must be a web address that begins with https://";

/** What is wrong with an address; undefined when nothing is. Plain http is for addresses of the machine itself. */
export function addressProblem(text: string): string | undefined {
  if (!addressBegin.test(text)) return addressMessage;
  const url = URL.parse(text);
  if (url === null) return "is no valid web address";
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  if (url.protocol === "http:" && !isLoopback(url)) {
    return "must begin with https://; http is for addresses of this machine only";
  }
  return url.hash === "" ? undefined : "must not hold a fragment (#)";
}
