/** The first message of a client, with its log-in data. */
export interface Login7 {
  readonly tdsVersion: number;
  readonly packetSize: number;
  readonly account: string;
  readonly password: string;
  readonly application: string;
  readonly database: string;
  /** The client understands UTF-8 columns and wants to hear whether we do. */
  readonly wantsUtf8: boolean;
  /** The token of a Microsoft Entra principal, which takes the place of a password. */
  readonly token?: string;
  /** The client repeats that the server offered Entra log-ins. */
  readonly echoesFedAuth: boolean;
}

const EXTENSION_USED = 0x10;
const FED_AUTH = 0x02;
const SECURITY_TOKEN = 1;
const UTF8_SUPPORT = 0x0a;
const TERMINATOR = 0xff;

export function parseLogin7(payload: Buffer): Login7 {
  const text = (at: number) => field(payload, at).toString("utf16le");
  const features = extensions(payload);
  const token = fedAuthToken(features.get(FED_AUTH));
  return {
    tdsVersion: payload.readUInt32LE(4),
    packetSize: payload.readUInt32LE(8),
    account: text(40),
    password: clear(field(payload, 44)).toString("utf16le"),
    application: text(48),
    database: text(68),
    wantsUtf8: features.has(UTF8_SUPPORT),
    ...(token !== undefined && { token }),
    echoesFedAuth: ((features.get(FED_AUTH)?.[0] ?? 0) & 1) === 1,
  };
}

function fedAuthToken(data: Buffer | undefined): string | undefined {
  if (data === undefined || data.readUInt8(0) >> 1 !== SECURITY_TOKEN) return undefined;
  return data.toString("utf16le", 5, 5 + data.readUInt32LE(1));
}

function field(payload: Buffer, at: number): Buffer {
  const start = payload.readUInt16LE(at);
  return payload.subarray(start, start + 2 * payload.readUInt16LE(at + 2));
}

/** Passwords are sent with their nibbles swapped and XORed, which does not protect them. */
function clear(hidden: Buffer): Buffer {
  return Buffer.from(
    hidden.map((byte) => {
      const bits = byte ^ 0xa5;
      return ((bits & 0x0f) << 4) | (bits >> 4);
    }),
  );
}

/** The feature extensions that the client names, by their ids. */
function extensions(payload: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  if ((payload.readUInt8(27) & EXTENSION_USED) === 0) return found;
  const pointer = payload.readUInt16LE(56);
  let at = payload.readUInt32LE(pointer);
  while (at < payload.length && payload.readUInt8(at) !== TERMINATOR) {
    const end = at + 5 + payload.readUInt32LE(at + 1);
    found.set(payload.readUInt8(at), payload.subarray(at + 5, end));
    at = end;
  }
  return found;
}

export const encryption = { off: 0, on: 1, notSupported: 2, required: 3 } as const;

/** The encryption that a PRELOGIN message requests. */
export function askedEncryption(payload: Buffer): number {
  for (let at = 0; payload.readUInt8(at) !== TERMINATOR; at += 5) {
    if (payload.readUInt8(at) === 1) return payload.readUInt8(payload.readUInt16BE(at + 1));
  }
  return encryption.off;
}

/** Server's half of PRELOGIN: version 12.0.2000, the encryption that is to be, no MARS, and Entra log-ins if it has them. */
export function preloginAnswer(mode: number, offersFedAuth: boolean): Buffer {
  const options = [
    { token: 0, data: [12, 0, 0x07, 0xd0, 0, 0] },
    { token: 1, data: [mode] },
    { token: 2, data: [0] },
    { token: 4, data: [0] },
    ...(offersFedAuth ? [{ token: 6, data: [1] }] : []),
  ];
  let offset = 5 * options.length + 1;
  const heads = options.flatMap(({ token, data }) => {
    const head = [token, offset >> 8, offset & 0xff, 0, data.length];
    offset += data.length;
    return head;
  });
  return Buffer.from([...heads, TERMINATOR, ...options.flatMap(({ data }) => data)]);
}
