import { tdsErrors, type TdsRefusal } from "./errors.ts";
import type { TdsSession, World } from "./model.ts";
import { packetTypes, type TdsMessage } from "./packets.ts";
import { doneToken, errorToken, resultTokens } from "./tokens.ts";
import { SqlError } from "./tsql/lex.ts";
import { runBatch } from "./tsql/run.ts";

const SP_EXECUTESQL = 10;
const NVARCHAR = 0xe7;
const PROCEDURE_BY_NUMBER = 0xffff;
const LONG_VALUE = 0xffff;

export interface Request {
  readonly text: string;
  readonly parameters: ReadonlyMap<string, string | null>;
}

interface Parameter {
  readonly name: string;
  readonly value: string | null;
  readonly end: number;
}

/** A batch, or a call of sp_executesql with its parameters; undefined for anything else. */
export function parseRequest({ type, payload }: TdsMessage): Request | undefined {
  const body = payload.subarray(payload.readUInt32LE(0));
  if (type === packetTypes.batch) {
    return { text: body.toString("utf16le"), parameters: new Map() };
  }
  const length = body.readUInt16LE(0);
  const byNumber = length === PROCEDURE_BY_NUMBER;
  const flagsAt = byNumber ? 4 : 2 + 2 * length;
  const isExecuteSql = byNumber
    ? body.readUInt16LE(2) === SP_EXECUTESQL
    : body.toString("utf16le", 2, flagsAt).toLowerCase() === "sp_executesql";
  const parameters = isExecuteSql ? parseParameters(body, flagsAt + 2) : undefined;
  const [statement, , ...values] = parameters ?? [];
  if (typeof statement?.value !== "string") return undefined;
  return {
    text: statement.value,
    parameters: new Map(values.map(({ name, value }) => [name.toLowerCase(), value])),
  };
}

/** Undefined if one of them is not a text. */
function parseParameters(body: Buffer, start: number): Parameter[] | undefined {
  const parameters: Parameter[] = [];
  for (let at = start; at < body.length;) {
    const parameter = parseParameter(body, at);
    if (parameter === undefined) return undefined;
    parameters.push(parameter);
    at = parameter.end;
  }
  return parameters;
}

function parseParameter(body: Buffer, at: number): Parameter | undefined {
  const nameEnd = at + 1 + 2 * body.readUInt8(at);
  const name = body.toString("utf16le", at + 1, nameEnd);
  const typeAt = nameEnd + 1;
  if (body.readUInt8(typeAt) !== NVARCHAR) return undefined;
  const isLong = body.readUInt16LE(typeAt + 1) === LONG_VALUE;
  const valueAt = typeAt + 3 + 5;
  if (isLong) return { name, ...readChunks(body, valueAt) };
  const bytes = body.readUInt16LE(valueAt);
  if (bytes === LONG_VALUE) return { name, value: null, end: valueAt + 2 };
  const end = valueAt + 2 + bytes;
  return { name, value: body.toString("utf16le", valueAt + 2, end), end };
}

function readChunks(body: Buffer, valueAt: number): { value: string; end: number } {
  const chunks: Buffer[] = [];
  let at = valueAt + 8;
  for (; body.readUInt32LE(at) > 0;) {
    const end = at + 4 + body.readUInt32LE(at);
    chunks.push(body.subarray(at + 4, end));
    at = end;
  }
  return { value: Buffer.concat(chunks).toString("utf16le"), end: at + 4 };
}

/** Runs the request. A hostile server repeats the values of all parameters in its errors. */
export function answerRequest(
  world: World,
  session: TdsSession,
  request: Request | undefined,
  isHostile: boolean,
): Buffer {
  try {
    if (request === undefined) throw new SqlError(tdsErrors.syntax("?"));
    const results = runBatch(world, session, request.text, request.parameters);
    const sent = results.flatMap(({ columns, rows }, at) => [
      resultTokens(columns, rows),
      doneToken(at < results.length - 1 ? ["more", "count"] : ["count"], rows.length),
    ]);
    return Buffer.concat(sent.length > 0 ? sent : [doneToken()]);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { refusal } = error;
    const values = [...(request?.parameters.values() ?? [])].join(" ");
    const message = isHostile ? `${refusal.message} (${values})` : refusal.message;
    return refusalTokens({ ...refusal, message }, world.name);
  }
}

export function refusalTokens(refusal: TdsRefusal, server: string): Buffer {
  return Buffer.concat([errorToken(refusal, server), doneToken(["error"])]);
}
