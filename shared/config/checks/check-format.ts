import { findForm, listForms } from "../../core/payload/texts/forms.ts";
import { type Endpoint, textForms } from "../../core/target.ts";
import type { Finding } from "../problems.ts";
import type { ConfigRotator } from "../schema/targets.ts";
import { isRecord } from "../yaml/is-record.ts";
import { listAccounts, type TargetDraft } from "./drafts.ts";

/** The format of the published secret, with the type, the accounts and the options of the target. */
export function checkFormat(draft: TargetDraft): Finding[] {
  const { entry, fields, rotator, options } = draft;
  const accounts = listAccounts(draft).map(({ name }) => name);
  // Reads the raw value, so that a bad name of the secret does not hide this problem.
  const publish = isRecord(entry.value) ? entry.value["publish"] : undefined;
  const format = isRecord(publish) ? publish["as"] : undefined;
  if (rotator === undefined) return [];
  const isPair = (fields.accounts ?? []).length > 1;
  const endpoint = options === undefined ? undefined : rotator.endpoint(options);
  const problem =
    format === "connection-string"
      ? findTextProblem(rotator, options)
      : format === "password"
        ? findPasswordProblem(rotator, options, endpoint, isPair)
        : endpoint && findFormProblem(format, rotator, endpoint, accounts);
  return problem === undefined ? [] : [{ path: ["publish", "as"], message: problem }];
}

function findPasswordProblem(
  rotator: ConfigRotator,
  options: unknown,
  endpoint: Endpoint | undefined,
  isPair: boolean,
): string | undefined {
  const fault = options === undefined ? undefined : rotator.findPasswordFault?.(options);
  if (fault !== undefined) {
    return `must be ${listAlternatives(rotator, endpoint, { isPair, not: "password" })}: ${fault}`;
  }
  return isPair && !rotator.findOwner
    ? `must be ${listAlternatives(rotator, endpoint, { isPair })} for a pair: consumers need the account name together with the password`
    : undefined;
}

/** The text forms depend on what consumers connect to. */
function findFormProblem(
  format: unknown,
  rotator: ConfigRotator,
  endpoint: Endpoint,
  accounts: readonly string[],
): string | undefined {
  const name = textForms.find((one) => one === format);
  if (name === undefined) return undefined;
  const form = findForm(name, endpoint.engine);
  const why = form ? form.findUnfit?.(endpoint, accounts) : `${rotator.type} has no form ${name}`;
  if (why === undefined) return undefined;
  return `must be ${listAlternatives(rotator, endpoint, { isPair: accounts.length > 1, not: name })}: ${why}`;
}

/** The other formats that such a target may have, in words. */
function listAlternatives(
  { findOwner, toConnectionString }: ConfigRotator,
  endpoint: Endpoint | undefined,
  { isPair, not }: { readonly isPair: boolean; readonly not?: string },
): string {
  const forms = endpoint ? listForms(endpoint.engine) : [];
  const all = [
    "json",
    ...(not === "password" || (isPair && !findOwner) ? [] : ["password"]),
    ...(toConnectionString ? ["connection-string"] : []),
    ...forms.filter((one) => one !== not),
  ];
  const last = all.pop() ?? "";
  return all.length === 0 ? last : `${all.join(", ")} or ${last}`;
}

function findTextProblem(rotator: ConfigRotator, options: unknown): string | undefined {
  if (!rotator.toConnectionString) {
    return `must be json or password: ${rotator.type} has no connection strings`;
  }
  const fault = options === undefined ? undefined : rotator.findTextFault?.(options);
  return fault && `must be json or password: ${fault}`;
}
