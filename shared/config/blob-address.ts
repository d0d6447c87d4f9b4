import { isBlobHost } from "../core/secrets/addresses.ts";
import { findAddressProblem } from "./web-address.ts";

export function isAddress(text: string): boolean {
  return /^https?:/i.test(text);
}

/** Returns the problem of a blob's address, or undefined. The message does not repeat the signature in the address. */
export function findBlobProblem(text: string): string | undefined {
  const problem = findAddressProblem(text);
  if (problem !== undefined) return problem;
  const url = new URL(text);
  if (!isBlobHost(url)) return "must be a path or the address of a blob in Azure Storage";
  const [container, ...name] = url.pathname.slice(1).split("/");
  const isWhole = container !== "" && name.length > 0 && name.every((part) => part !== "");
  return isWhole ? undefined : "must contain the names of a container and a blob";
}
