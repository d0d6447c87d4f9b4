import { tdsErrors, type TdsRefusal } from "./errors.ts";
import { packetTypes, type TdsMessage } from "./packets.ts";
import { type Column, doneToken, errorToken, rowTokens } from "./tokens.ts";

export interface TdsSession {
  readonly account: string;
  readonly database: string;
  readonly server: string;
}

const SP_EXECUTESQL = 10;
const NVARCHAR = 0xe7;
const PROCEDURE_BY_NUMBER = 0xffff;
const LONG_VALUE = 0xffff;

/** The statement in a batch or in a call of sp_executesql; undefined for any other procedure. */
export function parseStatement({ type, payload }: TdsMessage): string | undefined {
  const body = payload.subarray(payload.readUInt32LE(0));
  if (type === packetTypes.batch) return body.toString("utf16le");
  const length = body.readUInt16LE(0);
  const byNumber = length === PROCEDURE_BY_NUMBER;
  const flagsAt = byNumber ? 4 : 2 + 2 * length;
  const isExecuteSql = byNumber
    ? body.readUInt16LE(2) === SP_EXECUTESQL
    : body.toString("utf16le", 2, flagsAt).toLowerCase() === "sp_executesql";
  return isExecuteSql ? firstText(body.subarray(flagsAt + 2)) : undefined;
}

/** First parameter of a call, which for sp_executesql is the statement. */
function firstText(parameters: Buffer): string | undefined {
  const typeAt = 1 + 2 * parameters.readUInt8(0) + 1;
  if (parameters.readUInt8(typeAt) !== NVARCHAR) return undefined;
  const isLong = parameters.readUInt16LE(typeAt + 1) === LONG_VALUE;
  const valueAt = typeAt + 3 + 5;
  if (!isLong) {
    const bytes = parameters.readUInt16LE(valueAt);
    return parameters.toString("utf16le", valueAt + 2, valueAt + 2 + bytes);
  }
  const chunks: Buffer[] = [];
  for (let at = valueAt + 8; parameters.readUInt32LE(at) > 0;) {
    const end = at + 4 + parameters.readUInt32LE(at);
    chunks.push(parameters.subarray(at + 4, end));
    at = end;
  }
  return Buffer.concat(chunks).toString("utf16le");
}

/** Answers what a log-in check asks: settings, constants, who and where one is. */
export function answerStatement(session: TdsSession, text: string | undefined): Buffer {
  const statements = (text ?? "?").split(/;|\n(?=\s*(?:set|select)\b)/i).map((one) => one.trim());
  const answers: Buffer[] = [];
  for (const statement of statements.filter((one) => one !== "")) {
    if (/^set\s/i.test(statement)) continue;
    const columns = selected(session, statement);
    if (columns === undefined) {
      const [near = ""] = statement.split(/\s/);
      return Buffer.concat([...answers, refusalTokens(tdsErrors.syntax(near), session.server)]);
    }
    answers.push(rowTokens(columns));
  }
  return Buffer.concat([...answers, doneToken(["count"], answers.length)]);
}

export function refusalTokens(refusal: TdsRefusal, server: string): Buffer {
  return Buffer.concat([errorToken(refusal, server), doneToken(["error"])]);
}

function selected(session: TdsSession, statement: string): Column[] | undefined {
  const list = /^select\s+(?<list>.+)$/is.exec(statement)?.groups?.["list"];
  const columns = list?.split(",").map((item) => {
    const found = /^\s*(?<expression>.+?)(?:\s+as\s+\[?(?<name>\w+)\]?)?\s*$/is.exec(item)?.groups;
    const value = evaluated(session, found?.["expression"] ?? "");
    return value === undefined ? undefined : { name: found?.["name"] ?? "", value };
  });
  return columns?.every((column) => column !== undefined) === true ? columns : undefined;
}

function evaluated(session: TdsSession, expression: string): number | string | undefined {
  if (/^\d{1,9}$/.test(expression)) return Number(expression);
  const known: Readonly<Record<string, string>> = {
    "suser_sname()": session.account,
    "original_login()": session.account,
    system_user: session.account,
    "db_name()": session.database,
    "@@servername": session.server,
    "@@version": "Microsoft SQL Azure (RTM) - 12.0.2000.8",
  };
  return known[expression.toLowerCase()];
}
