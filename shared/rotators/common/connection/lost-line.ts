const untrusted = "the certificate of the server is not signed by a trusted authority";

/** Codes of the system and the TLS library that have a more exact meaning than a lost connection. */
const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the host refused the connection",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  ENODATA: "DNS has no such record of the host name",
  ESERVFAIL: "the host name could not be looked up",
  ETIMEDOUT: "connecting to the host timed out",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the host cannot be reached",
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: "the certificate of the server has expired",
  CERT_NOT_YET_VALID: "the certificate of the server is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate of the server is for another name",
};

/** Codes of the TLS library, which differ between its versions. The first pattern that matches counts. */
const tlsFailures: readonly (readonly [codes: RegExp, sentence: string])[] = [
  [
    /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    "the server does not answer in TLS on this port",
  ],
  [
    /^ERR_SSL_.*(?:UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION)$/,
    "the server has no version of TLS that Keyturn accepts. Keyturn needs TLS 1.2 or later",
  ],
  [
    /^ERR_SSL_.*(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)$/,
    "the server requires a client certificate, which Keyturn does not have, or has no TLS cipher that Keyturn accepts",
  ],
  [/^ERR_SSL_/, "the TLS handshake failed"],
];

/** Deep enough for every driver, with an end if the causes form a circle. */
const deepest = 5;

/** The meaning of a code from the table, with advice if there is some; undefined for other codes. */
export function explainCode(code: string, authorities?: string): string | undefined {
  const sentence = sentences[code] ?? tlsFailures.find(([codes]) => codes.test(code))?.[1];
  return sentence === untrusted && authorities !== undefined
    ? `${sentence}; set the right CA certificate in ${authorities}`
    : sentence;
}

/** The first code among the causes of a driver's error that has a meaning here. */
function findCode(error: unknown): string | undefined {
  let link: unknown = error;
  for (let depth = 0; depth < deepest && link instanceof Error; depth++) {
    const code: unknown = Reflect.get(link, "code");
    if (typeof code === "string" && explainCode(code) !== undefined) return code;
    link = link.cause;
  }
  return undefined;
}

/** Whether an open connection ended without any other reason than that the other side closed it. */
export function isHungUp(error: unknown): boolean {
  return [undefined, "ECONNRESET"].includes(findCode(error));
}

/**
 * Says why there was no answer, from the causes of a driver's error. Only codes from the table are used, because any other text of
 * such an error may come from the server. `authorities` names the option for trusted authorities, if there is one.
 */
export function describeConnectionError(error: unknown, authorities?: string): string {
  const code = findCode(error);
  const sentence = code === undefined ? undefined : explainCode(code, authorities);
  return sentence === undefined ? "the connection was lost" : `${sentence} (${String(code)})`;
}
