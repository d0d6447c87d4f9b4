/** A resource of Azure, as its id names it. */
export interface KeyResource {
  /** As it was written, without a slash at the end. */
  readonly id: string;
  readonly subscription: string;
  /** Such as `Microsoft.Storage/storageAccounts`. */
  readonly type: string;
  /** One for each part of the type after the provider. */
  readonly names: readonly string[];
}

const idPattern =
  /^\/subscriptions\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/resourceGroups\/[\w().-]{0,89}[\w()-]\/providers\/([\w.]+)((?:\/\w+\/[\w.~-]+)+)\/?$/i;

/** Undefined unless the text is the id of a resource in a resource group. */
export function parseResource(text: string): KeyResource | undefined {
  const [, subscription = "", provider = "", rest = ""] = idPattern.exec(text) ?? [];
  if (provider === "") return undefined;
  const parts = rest.split("/").filter((part) => part !== "");
  const types = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  return { id: text.replace(/\/$/, ""), subscription, type: [provider, ...types].join("/"), names };
}

/** Azure compares ids and types without regard to case. */
export const isSameType = (one: string, other: string): boolean =>
  one.toLowerCase() === other.toLowerCase();

/** The id of the resource that contains this one, which has so many names. */
export function toParentId({ id, names }: KeyResource, count: number): string {
  return id
    .split("/")
    .slice(0, -2 * (names.length - count) || undefined)
    .join("/");
}
