import { isBlobHost } from "../core/secrets/addresses.ts";
import { addressProblem } from "./web-address.ts";

export function isAddress(text: string): boolean {
  return /^https?:/i.test(text);
}

/** What is wrong with the address of a blob; undefined when nothing is. A signature in it is not repeated. */
export function blobProblem(text: string): string | undefined {
  const problem = addressProblem(text);
  if (problem !== undefined) return problem;
  const url = new URL(text);
  if (!isBlobHost(url)) return "must be a path, or the address of a blob in Azure Storage";
  const [container, ...name] = url.pathname.slice(1).split("/");
  const isWhole = container !== "" && name.length > 0 && name.every((part) => part !== "");
  return isWhole ? undefined : "must name a container and a blob in it";
}
