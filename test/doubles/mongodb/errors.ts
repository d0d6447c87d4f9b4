import type { Document } from "mongodb";

/** An error answer of the server. */
export interface MongoRefusal {
  readonly code: number;
  readonly codeName: string;
  readonly message: string;
}

/** Thrown inside the double to end a command with the server's own error. */
export class Refused extends Error {
  readonly refusal: MongoRefusal;
  constructor(refusal: MongoRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

const codes = {
  BadValue: 2,
  FailedToParse: 9,
  UserNotFound: 11,
  Unauthorized: 13,
  TypeMismatch: 14,
  ProtocolError: 17,
  AuthenticationFailed: 18,
  RoleNotFound: 31,
  CommandNotFound: 59,
  InvalidNamespace: 73,
  MechanismUnavailable: 334,
  IDLFailedToParse: 40_414,
  IDLUnknownField: 40_415,
  Location50687: 50_687,
  Location50692: 50_692,
  Location51003: 51_003,
  DocumentDbUserNotFound: 67_137_668,
} as const;

export function refused(codeName: keyof typeof codes, message: string): Refused {
  return new Refused({ code: codes[codeName], codeName, message });
}

export function errorAnswer({ code, codeName, message }: MongoRefusal): Document {
  return { ok: 0, errmsg: message, code, codeName };
}
