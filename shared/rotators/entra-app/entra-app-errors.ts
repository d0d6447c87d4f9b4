import type { AzureReply, Nobody, Reply } from "../../azure/azure-reply.ts";
import { isObject } from "../../core/json.ts";
import { explainCode } from "../common/connection/lost-line.ts";
import { type Meaning, refused, unavailable, unknown } from "../common/connection/meaning.ts";
import { describeApplication, type EntraAppOptions } from "./entra-app-options.ts";

/** What answers of Microsoft Graph mean. Everything here is pure. */

/** The application that a sentence is about. */
export interface Concern {
  readonly account: string;
  readonly options: EntraAppOptions;
}

export const describe = ({ account, options }: Concern): string =>
  describeApplication(account, options);

/** Names the rights that the identity of the app lacks, and how to grant them. */
const missingRight = ({ account }: Concern): string =>
  "Keyturn's Azure identity may not change the secrets of the application. It needs the permission Application.ReadWrite.OwnedBy " +
  `of Microsoft Graph (docs/rotators/entra-app.md has the commands), and must be an owner: az ad app owner add --id ${account} ` +
  "--owner-object-id <object id of the identity>. Both can take some minutes, and a permission up to a day after the identity's first token";

const lacks = (concern: Concern): Meaning => refused(missingRight(concern));

export const notFound: Meaning = refused(
  "the application does not exist in this tenant, or was deleted. Check options.tenant, options.application and the account, " +
    "which must be the client id",
);

const noToken = unavailable("Microsoft Graph refuses the token of the app's Azure identity");
const isBusy = unavailable("Microsoft Graph accepts no more requests at the moment");

/** What codes of a refusal mean. A rule of the tenant is named by its id. */
const refusals: Readonly<Record<string, (concern: Concern, rule: string) => Meaning>> = {
  CredentialInvalidLifetimeAsPerAppPolicy: ({ options: { lifetime } }, rule) =>
    refused(
      `a rule of the tenant${rule} does not permit secrets that are valid for ${lifetime}. Write a shorter options.lifetime, ` +
        "and rotate more often if the policy requires it",
    ),
  CredentialTypeNotAllowedAsPerAppPolicy: (_, rule) =>
    refused(
      `a rule of the tenant${rule} forbids secrets. Use a federated credential or a certificate instead, or exempt the application`,
    ),
  Directory_ResourceSizeExceeded: () =>
    refused("the application has no room for another secret. Remove secrets that nobody uses"),
};

/** Texts of refusals that have no code of their own. */
const fullOfSecrets = /maximum of \d+ (?:passwords|encrypted credentials)|credential limit/i;

function readMessage({ body }: AzureReply): string {
  const error = isObject(body) && isObject(body["error"]) ? body["error"] : {};
  return typeof error["message"] === "string" ? error["message"] : "";
}

/** The rule that a message names. Nothing else of the message is used. */
function nameRule(reply: AzureReply): string {
  const [, id] = /policy '?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i.exec(
    readMessage(reply),
  ) ?? [undefined, undefined];
  return id === undefined ? "" : ` (policy ${id})`;
}

/** The error of a query without a usable answer. */
export function toReadError(reply: Reply, concern: Concern): Error {
  const where = describe(concern);
  if (reply.by === "nobody") return unavailable(explainSilence(reply))(where);
  if (reply.by === "gateway") return unavailable(`the answer ${notGraph}`)(where);
  const { status } = reply;
  if (status === 401) return noToken(where);
  if (status === 403) return lacks(concern)(where);
  if (status === 404) return toNotFound(reply)(where);
  if (status === 429) return isBusy(where);
  return unavailable(`Microsoft Graph did not answer the query (status ${status})`)(where);
}

const notGraph =
  "is not from Microsoft Graph. Check the proxies and gateways between the app and Graph";

/** Graph answers 404 with another code while it is overloaded. */
const toNotFound = ({ codes }: AzureReply): Meaning =>
  codes.includes("Directory_ObjectNotFound")
    ? unavailable("Microsoft Graph cannot read the tenant at the moment")
    : notFound;

/** The error of a request to add a secret that has not returned one. */
export function toAddError(reply: Reply, concern: Concern): Error {
  const where = describe(concern);
  const notKnown = (why: string) => unknown(`${why}, so a secret that nobody has may exist`)(where);
  if (reply.by === "nobody") {
    const why = explainSilence(reply);
    return reply.sent ? notKnown(`${why} while a secret was being added`) : unavailable(why)(where);
  }
  if (reply.by === "gateway") return notKnown(`the answer ${notGraph}`);
  if (reply.status < 300) return notKnown("Microsoft Graph did not return the new secret");
  if (reply.status >= 500 || [408, 409].includes(reply.status)) {
    return notKnown(`Microsoft Graph answered with status ${reply.status}`);
  }
  return toRefusal(reply, concern)(where);
}

/** What a refusal of a change means. Nothing was changed. */
function toRefusal(reply: AzureReply, concern: Concern): Meaning {
  const { status, codes } = reply;
  const code = codes.find((one) => Object.hasOwn(refusals, one)) ?? "";
  const meaning = refusals[code]?.(concern, nameRule(reply));
  if (meaning) return meaning;
  if (status === 401) return noToken;
  if (status === 403) return lacks(concern);
  if (status === 404) return toNotFound(reply);
  if (status === 429) return isBusy;
  return fullOfSecrets.test(readMessage(reply))
    ? refused(
        "the application has as many secrets as it may have. Remove a secret that nobody uses",
      )
    : refused(`Microsoft Graph refuses the change (status ${status})`);
}

/**
 * What is known after a request to remove a secret. `open`: only the list tells, because Graph answers that the secret does not exist also
 * for one that has not reached all its servers.
 */
export function judgeRemoval(reply: Reply, concern: Concern): "open" | Error {
  if (reply.by === "nobody" && !reply.sent) {
    return unavailable(explainSilence(reply))(describe(concern));
  }
  if (reply.by !== "azure" || reply.status < 300) return "open";
  const { status } = reply;
  if (status === 400 || status === 404 || [408, 409, 429].includes(status) || status >= 500) {
    return "open";
  }
  return toRefusal(reply, concern)(describe(concern));
}

/** Why nobody answered. */
export function explainSilence({ why, code = "" }: Nobody): string {
  if (why === "timed-out") return "timed out";
  if (why === "too-late") return "this worker was suspended, so nothing was sent";
  if (why === "no-token") return "no token is available for the app's Azure identity";
  const sentence = explainCode(code);
  return sentence === undefined ? "the connection was lost" : `${sentence} (${code})`;
}
