import { isLoopback, listKeyDomains, resourceManagers } from "../../core/secrets/addresses.ts";
import type { KeyResource } from "./azure-key-resource.ts";
import type { KeyName, KeyPair, KeyService } from "./azure-key-service.ts";

/** A resource whose keys are rotated, and where consumers use them. */
export interface KeyTarget {
  readonly service: KeyService;
  /** The name of the service in the options. */
  readonly serviceName: string;
  readonly resource: KeyResource;
  readonly pair: KeyPair;
  readonly host: string;
  readonly port: number;
  /** The origin of Azure Resource Manager. */
  readonly resourceManager: string;
  /** Whether a key is only compared with the list. */
  readonly comparesOnly: boolean;
}

/** The resource in messages. */
export function describeTarget({ service, resource }: Pick<KeyTarget, "service" | "resource">) {
  return `${service.noun} ${resource.names.join("/")}`;
}

/** The noun with its article. */
export const withArticle = ({ noun }: Pick<KeyService, "noun">): string =>
  `${/^[AEIOU]/.test(noun) ? "an" : "a"} ${noun}`;

/** The key in messages. */
export const describeKey = (target: KeyTarget, account: string): string =>
  `${describeTarget(target)}, key ${account}`;

/** The part of the name of the resource that hosts and signatures have. */
export const nameOf = ({ resource }: Pick<KeyTarget, "resource">): string =>
  resource.names[0] ?? "";

export function findKey({ pair }: Pick<KeyTarget, "pair">, account: string): KeyName | undefined {
  return pair.find(({ name }) => name === account);
}

/** The public domain of the service in the cloud of this Resource Manager. */
export function findDomain({ system }: KeyService, resourceManager: string): string {
  const domains = listKeyDomains(system);
  const cloud = isLoopback(new URL(resourceManager))
    ? 0
    : resourceManagers.indexOf(resourceManager);
  return domains[cloud] ?? domains[0] ?? "";
}

export function toActions({ service }: Pick<KeyTarget, "service">) {
  const { type, list, regenerate } = service;
  return {
    read: `${type}/read`,
    list: `${type}/${list}/action`,
    regenerate: `${type}/${regenerate}/action`,
  };
}
