/** An error as Azure Resource Manager sends it. */
export interface ArmRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number;
  /** HTML that a gateway answers instead of Azure. */
  readonly page?: string;
}

export interface ArmAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** HTML, instead of a body. */
  readonly page?: string;
}

/** Thrown inside the double to end a request with the platform's own error. */
export class Refused extends Error {
  readonly refusal: ArmRefusal;
  constructor(refusal: ArmRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function errorAnswer({ status, code, message, retryAfter, page }: ArmRefusal): ArmAnswer {
  if (page !== undefined) return { status, headers: { "content-type": "text/html" }, page };
  return {
    status,
    headers: {
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
      ...(status === 401 ? { "www-authenticate": challenge } : {}),
    },
    body: { error: { code, message } },
  };
}

const challenge =
  'Bearer authorization_uri="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001", error="invalid_token", error_description="The access token is missing, invalid or expired."';

/** The errors that changing an administrator's password can end with, in the platform's own words. */
export const armErrors = {
  noToken: {
    status: 401,
    code: "AuthenticationFailed",
    message: "Authentication failed. The 'Authorization' header is missing.",
  },
  badToken: {
    status: 401,
    code: "InvalidAuthenticationToken",
    message: "The access token is invalid.",
  },
  expiredToken: {
    status: 401,
    code: "ExpiredAuthenticationToken",
    message: "The access token expiry is in the past.",
  },
  noRights: (action: string, scope: string): ArmRefusal => ({
    status: 403,
    code: "AuthorizationFailed",
    message: `The client does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  }),
  noSuchResource: (type: string, group: string): ArmRefusal => ({
    status: 404,
    code: "ResourceNotFound",
    message: `The Resource '${type}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  }),
  noSuchGroup: (group: string): ArmRefusal => ({
    status: 404,
    code: "ResourceGroupNotFound",
    message: `Resource group '${group}' could not be found.`,
  }),
  noSuchSubscription: (subscription: string): ArmRefusal => ({
    status: 404,
    code: "SubscriptionNotFound",
    message: `The subscription '${subscription}' could not be found.`,
  }),
  unreadable: {
    status: 400,
    code: "InvalidRequestContent",
    message: "The request content was invalid and could not be deserialized.",
  },
  unknownApiVersion: (version: string): ArmRefusal => ({
    status: 400,
    code: "NoRegisteredProviderFound",
    message: `No registered resource provider found for location 'westeurope' and API version '${version}'.`,
  }),
  noApiVersion: {
    status: 400,
    code: "MissingApiVersionParameter",
    message: "The api-version query parameter (?api-version=) is required for all requests.",
  },
  entraOnly: {
    status: 400,
    code: "AadOnlyAuthenticationIsEnabled",
    message:
      "Active Directory only authentication is enabled. Please contact your system administrator.",
  },
  passwordTooShort: {
    status: 400,
    code: "PasswordTooShort",
    message:
      "Password validation failed. The password does not meet policy requirements because it is too short.",
  },
  passwordTooLong: {
    status: 400,
    code: "PasswordTooLong",
    message:
      "Password validation failed. The password does not meet policy requirements because it is too long.",
  },
  passwordNotComplex: {
    status: 400,
    code: "PasswordNotComplex",
    message:
      "Password validation failed. The password does not meet policy requirements because it is not complex enough.",
  },
  busy: (server: string): ArmRefusal => ({
    status: 409,
    code: "ConflictingServerOperation",
    message: `An operation is currently in progress for the server '${server}'. Please wait a few minutes before trying again.`,
  }),
  throttled: (retryAfter: number): ArmRefusal => ({
    status: 429,
    code: "SubscriptionTooManyCreateUpdateRequests",
    message: "Requests beyond max requests that can be processed by available resources.",
    retryAfter,
  }),
  internal: {
    status: 500,
    code: "InternalServerError",
    message: "An unexpected error occured while processing the request.",
  },
} as const;

/** Returns the reason why the platform refuses this password, if it does. */
export function passwordRefusal(
  password: string,
  login: string,
  least: number,
): ArmRefusal | undefined {
  if (password.length < least) return armErrors.passwordTooShort;
  if (password.length > 128) return armErrors.passwordTooLong;
  const classes = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/];
  const used = classes.filter((kind) => kind.test(password)).length;
  const namesAccount = password.toLowerCase().includes(login.toLowerCase());
  return used < 3 || namesAccount ? armErrors.passwordNotComplex : undefined;
}
