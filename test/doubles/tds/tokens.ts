import type { TdsRefusal } from "./errors.ts";

const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);
const NVARCHAR_MAX_BYTES = 8000;

const u8 = (value: number) => Buffer.from([value]);

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

const ucs2 = (text: string) => Buffer.from(text, "utf16le");
const shortText = (text: string) => Buffer.concat([u8(text.length), ucs2(text)]);
const longText = (text: string) => Buffer.concat([u16(text.length), ucs2(text)]);

function token(id: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u8(id), u16(body.length), body]);
}

export function errorToken(refusal: TdsRefusal, server: string): Buffer {
  const { number, state, severity, message } = refusal;
  return token(
    0xaa,
    u32(number),
    u8(state),
    u8(severity),
    longText(message),
    shortText(server),
    shortText(""),
    u32(1),
  );
}

function infoToken(number: number, message: string, server: string): Buffer {
  return token(
    0xab,
    u32(number),
    u8(2),
    u8(0),
    longText(message),
    shortText(server),
    shortText(""),
    u32(1),
  );
}

const doneBits = { more: 0x01, error: 0x02, count: 0x10, attention: 0x20 } as const;

/** End of a statement, of a request, or of a cancelled one. */
export function doneToken(flags: readonly (keyof typeof doneBits)[] = [], rows = 0): Buffer {
  const status = flags.reduce((bits, flag) => bits | doneBits[flag], 0);
  return Buffer.concat([u8(0xfd), u16(status), u16(0), u32(rows), u32(0)]);
}

/** Where a client is sent on to. */
export interface Route {
  readonly server: string;
  readonly port: number;
}

/** ENVCHANGE of the type Routing: protocol TCP, port and name, and no old value. */
function routingToken({ server, port }: Route): Buffer {
  const route = Buffer.concat([u8(0), u16(port), longText(server)]);
  return token(0xe3, u8(20), u16(route.length), route, u16(0));
}

export function loginTokens(
  login: { tdsVersion: number; packetSize: number; wantsUtf8: boolean; token?: string },
  database: string,
  server: string,
  route?: Route,
): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(login.tdsVersion);
  const size = String(login.packetSize);
  const features = [
    ...(login.token === undefined ? [] : [u8(0x02), u32(0)]),
    ...(login.wantsUtf8 ? [u8(0x0a), u32(1), u8(1)] : []),
  ];
  return Buffer.concat([
    token(0xe3, u8(1), shortText(database), shortText("master")),
    infoToken(5701, `Changed database context to '${database}'.`, server),
    token(0xe3, u8(7), u8(COLLATION.length), COLLATION, u8(0)),
    token(
      0xad,
      u8(1),
      version,
      shortText("Microsoft SQL Server"),
      Buffer.from([12, 0, 0x07, 0xd0]),
    ),
    token(0xe3, u8(4), shortText(size), shortText(size)),
    ...(features.length > 0 ? [u8(0xae), ...features, u8(0xff)] : []),
    ...(route ? [routingToken(route)] : []),
    doneToken(),
  ]);
}

/** A result set. A column is a number if all its values are numbers or NULL and one is not NULL. */
export function resultTokens(
  columns: readonly string[],
  rows: readonly (readonly (number | string | null)[])[],
): Buffer {
  const isNumber = columns.map((_name, at) => {
    const values = rows.map((row) => row[at]).filter((value) => value !== null);
    return values.length > 0 && values.every((value) => typeof value === "number");
  });
  const described = columns.map((name, at) =>
    Buffer.concat([u32(0), u16(1), isNumber[at] ? INT : TEXT, shortText(name)]),
  );
  const sent = rows.flatMap((row) => [
    u8(0xd1),
    ...row.map((value, at) => (isNumber[at] ? intValue(value) : textValue(value))),
  ]);
  return Buffer.concat([u8(0x81), u16(columns.length), ...described, ...sent]);
}

const INT = Buffer.from([0x26, 4]);
const TEXT = Buffer.concat([u8(0xe7), u16(NVARCHAR_MAX_BYTES), COLLATION]);
const NULL_TEXT = 0xffff;

function intValue(value: number | string | null | undefined): Buffer {
  if (typeof value !== "number") return u8(0);
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return Buffer.concat([u8(4), buffer]);
}

function textValue(value: number | string | null | undefined): Buffer {
  if (value === null || value === undefined) return u16(NULL_TEXT);
  const text = String(value);
  return Buffer.concat([u16(2 * text.length), ucs2(text)]);
}
