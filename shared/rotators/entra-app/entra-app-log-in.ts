import { z } from "zod";
import type { AzurePlace } from "../../azure/azure-policy.ts";
import { sendRaw } from "../../azure/azure-send.ts";
import { ConfigError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { isLogIn } from "../../core/secrets/addresses.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { blocked, config, type Meaning, unavailable } from "../common/connection/meaning.ts";
import { explainSilence } from "./entra-app-errors.ts";
import { describeApplication, type EntraAppOptions, findOrigins } from "./entra-app-options.ts";

/** What the answer to a log-in says of the secret. `note`: what a person should know. */
export type Verdict =
  | { readonly is: "accepted" | "rejected"; readonly note?: string }
  | { readonly is: "nothing"; readonly meaning: Meaning };

interface LogInOptions extends Omit<AzurePlace, "origin"> {
  readonly note: (sentence: string) => void;
}

/**
 * Requests a token for Microsoft Graph as a consumer would (client credentials), and throws the token away. It needs no permission.
 * Libraries for log-ins are of no use here, because they remember the token of an earlier secret.
 */
export async function logIn(
  { account, secret }: Credential,
  options: EntraAppOptions,
  { note, ...place }: LogInOptions,
  signal: AbortSignal,
): Promise<"accepted" | "rejected"> {
  const where = describeApplication(account, options);
  const { graph, logIn: origin } = findOrigins(options);
  // The form contains the secret.
  if (!isLogIn(origin)) throw new ConfigError(`${where}: ${origin} is not an origin of log-ins`);
  const form = new URLSearchParams({
    client_id: account,
    client_secret: secret.reveal(),
    grant_type: "client_credentials",
    scope: `${graph}/.default`,
  });
  const answer = await sendRaw(
    { ...place, origin },
    {
      method: "POST",
      path: `/${options.tenant}/oauth2/v2.0/token`,
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: form.toString(),
    },
    signal,
  );
  if (answer.by === "nobody") throw unavailable(explainSilence(answer))(where);
  const verdict = judgeLogIn(answer.status, answer.text);
  if (verdict.is === "nothing") throw verdict.meaning(where);
  if (verdict.note !== undefined) note(`${where}: ${verdict.note}`);
  return verdict.is;
}

const token = z.object({ access_token: z.string().min(1), expires_in: z.number() });

const failure = z.object({
  error: z.string(),
  error_codes: z.array(z.number()).catch([]),
});

const nothing = (meaning: Meaning): Verdict => ({ is: "nothing", meaning });

const conditional: Verdict = {
  is: "accepted",
  note: "Entra accepted the secret, but Conditional Access gives no tokens to the address of Keyturn",
};
const notInTenant = nothing(
  blocked(
    "the application does not exist in this tenant or has no service principal there. Check options.tenant, or run: az ad sp create --id <client id>",
  ),
);
const disabled = nothing(blocked("the application or its service principal is disabled"));
const noTenant = nothing(
  config("the tenant does not exist in this cloud. Check options.tenant and options.cloud"),
);
const isBusy = nothing(unavailable("Entra accepts no more log-ins at the moment"));

/** What the numbers of AADSTS errors say. */
const byNumber: Readonly<Record<number, Verdict>> = {
  7_000_215: { is: "rejected" },
  7_000_222: { is: "rejected", note: "the secret has expired" },
  53_000: conditional,
  53_001: conditional,
  53_003: conditional,
  530_032: conditional,
  700_016: notInTenant,
  7_000_229: notInTenant,
  7_000_112: disabled,
  7_000_113: disabled,
  90_002: noTenant,
  90_038: noTenant,
  900_382: noTenant,
  900_432: noTenant,
  90_006: isBusy,
  90_033: isBusy,
  50_196: isBusy,
};

/** What the names of OAuth errors say where the number is not known: Microsoft warns that numbers may change. */
const byName: Readonly<Record<string, Verdict>> = {
  invalid_client: { is: "rejected" },
  unauthorized_client: nothing(blocked("Entra refuses the application, whatever its secret")),
  temporarily_unavailable: isBusy,
};

/** Pure: what an answer of the token endpoint says. No text of it is used. */
export function judgeLogIn(status: number, text: string): Verdict {
  const body = parseJson(text);
  if (status === 200 && token.safeParse(body).success) return { is: "accepted" };
  if (status === 429) return isBusy;
  if (status >= 500) return nothing(unavailable(`Entra has a fault (status ${status})`));
  const { data } = failure.safeParse(status < 400 ? undefined : body);
  return data ? judgeFailure(data) : notEntra;
}

const notEntra = nothing(
  unavailable(
    "the answer is not from Entra. Check the proxies and gateways between the app and Entra",
  ),
);

function judgeFailure({ error, error_codes: numbers }: z.output<typeof failure>): Verdict {
  const [known] = numbers.flatMap((one) => byNumber[one] ?? []);
  const named = Object.hasOwn(byName, error) ? byName[error] : undefined;
  const [first = 0] = numbers;
  const otherwise = nothing(
    unavailable(`Entra refuses the log-in without a reason that Keyturn knows (AADSTS${first})`),
  );
  return known ?? named ?? otherwise;
}
